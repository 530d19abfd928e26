"""The text of a module with the units that are not kept left out; the rest stays byte for byte.

A comment directly above a statement goes with it. A comment that stands alone goes when all that
follows it up to the next such comment goes. Nothing is moved.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from migrator.generation.source import Module, Unit


class Edit(NamedTuple):
    """A replacement of the bytes from `start` to `end`."""

    start: int
    end: int
    text: bytes = b""


@dataclass
class _Chunk:
    """Lines that go together: statements, or a comment that stands alone."""

    first: int
    last: int
    nodes: list[ast.stmt] = field(default_factory=list)
    kept: bool = True


def prune(module: Module, live: Collection[Unit], edits: Iterable[Edit] = ()) -> bytes:
    """The module's UTF-8 text with only `live` units in it, and `edits` made in what is kept.

    Docstring and `from __future__` imports stay when anything does.
    """
    kept = {unit for unit in module.units if unit in live or _stays(unit, module, live)}
    all_edits = [*edits, *_inside_statements(module, kept)]
    if len(kept) < len(module.units):
        chunks = _chunks(module)
        _mark(chunks, {id(unit.block or unit.node) for unit in kept})
        all_edits.extend(_removals(module, chunks))
    return apply_edits(module.text, all_edits)


def apply_edits(text: bytes, edits: Iterable[Edit]) -> bytes:
    """`text` with all edits made; one that lies within another gives way to it."""
    result: list[bytes] = []
    position = 0
    for edit in sorted(edits, key=lambda each: (each.start, each.end > each.start, -each.end)):
        if edit.start < position:
            continue
        result += [text[position : edit.start], edit.text]
        position = edit.end
    result.append(text[position:])
    return b"".join(result)


def _stays(unit: Unit, module: Module, live: Collection[Unit]) -> bool:
    if unit.kind == "docstring":
        return True
    if unit.kind == "future":
        return any(each in live for each in module.units)
    if unit.kind == "exports":
        return any(each in live for each in module.units if each.kind != "exports")
    return False


# Names within an import, strings within `__all__`


def _inside_statements(module: Module, kept: Collection[Unit]) -> Iterable[Edit]:
    by_node: dict[int, list[Unit]] = {}
    for unit in module.units:
        by_node.setdefault(id(unit.node), []).append(unit)
    for units in by_node.values():
        remaining = [each for each in units if each in kept]
        if remaining and len(remaining) < len(units):
            aliases = [each.alias for each in units if each.alias is not None]
            left = [each.alias for each in remaining if each.alias is not None]
            yield _thin_out(module, units[0].node, aliases, left)
    yield from _blocks(module, kept)
    bound = {name for unit in kept for name in unit.binds}
    lost = {name for unit in module.units for name in unit.binds} - bound
    for unit in kept:
        if unit.kind == "exports":
            for sequence in ast.walk(unit.node):
                if isinstance(sequence, ast.List | ast.Tuple) and sequence.elts:
                    alive = [e for e in sequence.elts if not _is_text(e, lost)]
                    if len(alive) < len(sequence.elts):
                        yield _thin_out(module, sequence, sequence.elts, alive)


def _is_text(node: ast.expr, names: Collection[str]) -> bool:
    return isinstance(node, ast.Constant) and node.value in names


def _thin_out(
    module: Module,
    whole: ast.stmt | ast.expr,
    items: Sequence[ast.alias | ast.expr],
    kept: Sequence[ast.alias | ast.expr],
) -> Edit:
    """Leave some items out of a comma-separated list, with their comments."""
    starts, ends = zip(*(module.span(each) for each in items), strict=True)
    _, end = module.span(whole)
    tail = module.text[ends[-1] : end]
    pieces: list[tuple[bytes, bytes]] = []
    for position, item in enumerate(items):
        text = module.text[starts[position] : ends[position]]
        last = position + 1 == len(items)
        between = b"" if last else module.text[ends[position] : starts[position + 1]]
        if item in kept:
            pieces.append((text, between))
        elif pieces and b"\n" in between and b"\n" not in pieces[-1][1]:
            # Keep the line break that stood behind what is left out.
            pieces[-1] = (pieces[-1][0], between if b"#" not in between else pieces[-1][1])
    result = b"".join(text + between for text, between in pieces[:-1])
    if pieces:
        text, between = pieces[-1]
        if items[-1] not in kept and b"#" in between and b"\n" in between:
            comment = between[: between.rindex(b"\n")].rstrip()
            rest = tail[tail.rindex(b"\n") :] if b"\n" in tail else b"\n" + tail.lstrip(b", ")
            result += text + comment + rest
        else:
            result += text + tail
    else:
        result = tail.lstrip(b", \r\n")
    return Edit(starts[0], end, result)


def _blocks(module: Module, kept: Collection[Unit]) -> Iterable[Edit]:
    """Statements left out of an `if TYPE_CHECKING:` of which others stay."""
    alive = {id(unit.node) for unit in kept}
    for block in {id(u.block): u.block for u in kept if u.block is not None}.values():
        for node in block.body:
            if id(node) not in alive:
                yield Edit(
                    module.offset(node.lineno), module.offset((node.end_lineno or 0) + 1), b""
                )


# Whole statements


def _chunks(module: Module) -> list[_Chunk]:
    chunks: list[_Chunk] = []
    line = 1
    for node in module.tree.body:
        decorators: list[ast.expr] = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(each.lineno for each in decorators)])
        last = node.end_lineno or node.lineno
        if chunks and chunks[-1].nodes and first <= chunks[-1].last:
            chunks[-1].nodes.append(node)
            chunks[-1].last = max(last, chunks[-1].last)
        else:
            if chunks and chunks[-1].nodes:
                _take_inner_comments(module, chunks[-1], first)
                line = chunks[-1].last + 1
            comments = _comments(module, line, first)
            if comments and comments[-1].last == first - 1 and (chunks or len(comments) > 1):
                first = comments.pop().first
            chunks.extend(comments)
            chunks.append(_Chunk(first, last, [node]))
        line = chunks[-1].last + 1
    if chunks and chunks[-1].nodes:
        _take_inner_comments(module, chunks[-1], len(module.line_starts) + 1)
        line = chunks[-1].last + 1
    chunks.extend(_comments(module, line, len(module.line_starts) + 1))
    return chunks


def _take_inner_comments(module: Module, chunk: _Chunk, until: int) -> None:
    """Indented comments after the last statement of a block still belong to it."""
    for number in range(chunk.last + 1, until):
        line = module.line(number)
        if line.strip() and line[:1] not in b" \t":
            break
        if line.strip():
            chunk.last = number


def _comments(module: Module, first: int, until: int) -> list[_Chunk]:
    found: list[_Chunk] = []
    for number in range(first, until):
        if not module.line(number).strip():
            continue
        if found and found[-1].last == number - 1:
            found[-1].last = number
        else:
            found.append(_Chunk(number, number))
    return found


def _mark(chunks: list[_Chunk], kept: Collection[int]) -> None:
    for chunk in chunks:
        if chunk.nodes:
            chunk.kept = any(id(node) in kept for node in chunk.nodes)
    for position, chunk in enumerate(chunks):
        if chunk.nodes or position == 0:
            continue
        following: list[_Chunk] = []
        for each in chunks[position + 1 :]:
            if not each.nodes and following:
                break
            if each.nodes:
                following.append(each)
        chunk.kept = not following or any(each.kept for each in following)


def _removals(module: Module, chunks: list[_Chunk]) -> Iterable[Edit]:
    end = len(module.line_starts) + 1
    newline = module.newline.encode()
    position = 0
    while position < len(chunks):
        if chunks[position].kept:
            position += 1
            continue
        start = position
        while position < len(chunks) and not chunks[position].kept:
            position += 1
        before = chunks[start - 1].last + 1 if start else 1
        after = chunks[position].first if position < len(chunks) else end
        blank = max(chunks[start].first - before, after - chunks[position - 1].last - 1)
        if start and position < len(chunks) and _is_import(chunks[start - 1]):
            # One line or two after the imports, as it was, unless a definition follows.
            blank = blank if chunks[position].nodes else chunks[start].first - before or 1
        if not start or position == len(chunks):
            blank = 0
        yield Edit(module.offset(before), module.offset(after), newline * blank)


def _is_import(chunk: _Chunk) -> bool:
    return any(isinstance(each, ast.Import | ast.ImportFrom) for each in chunk.nodes)
