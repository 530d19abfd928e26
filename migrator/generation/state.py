"""State that leaves the process: shared, per request, or run in one process at a time.

The forms are those of docs/servicekit.md and no others.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable

from migrator.facts.syntax import parse
from migrator.generation.names import Project
from migrator.generation.pruning import Edit
from migrator.generation.scopes import last_name
from migrator.generation.source import DefinitionNode, FunctionNode, Unit
from migrator.graph.effects.kept_results import MEMOS
from migrator.model.errors import Place, Refused
from migrator.model.plan import StateRemedy

_REPLACED = {
    "Cache": {"shared": "caching.shared_cache", "request": "caching.request_cache"},
    "Limiter": {"shared": "rate_limits.shared_limiter"},
}
"""Classes of extensions, by their last name, and what of servicekit makes one that keeps outside
of the process."""


def move_state(project: Project, unit: Unit, remedy: StateRemedy) -> tuple[list[Edit], str]:
    """The edits that apply a state remedy to the unit that it names, and the import they need.

    Raises `Refused` when the code has no form that the remedy fits.
    """
    if remedy.remedy == "lease":
        return _lease(project, unit, remedy)
    if remedy.remedy not in ("shared", "request"):
        return [], ""
    node = _named(project, unit, remedy.name)
    if isinstance(node, FunctionNode):
        return _memoised(unit, node, remedy)
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    if isinstance(value, ast.Call):
        maker = _REPLACED.get(_made_of(project, remedy), {}).get(remedy.remedy)
        if maker is not None:
            return _class_replaced(unit, value, remedy, maker)
    return _shared(unit, value, remedy)


def _made_of(project: Project, remedy: StateRemedy) -> str:
    """The last name of the extension's class of which an object is, also by a subclass."""
    found = (each.detail for each in project.program.state if each.name == remedy.name)
    return next(found, "").rpartition(".")[2]


def _named(project: Project, unit: Unit, dotted: str) -> ast.stmt | None:
    """The statement in a unit that binds a dotted name: itself, or one in the body of its class or
    function."""
    split = project.split(dotted)
    node: ast.stmt | None = unit.node
    for name in split[1][1:] if split else ():
        body = node.body if isinstance(node, DefinitionNode) else []
        node = next((each for each in body if name in _bound(each)), None)
    return node


def _bound(node: ast.stmt) -> set[str]:
    if isinstance(node, DefinitionNode):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return {each.id for each in targets if isinstance(each, ast.Name)}


def _memoised(unit: Unit, node: FunctionNode, remedy: StateRemedy) -> tuple[list[Edit], str]:
    """Put a decorator of servicekit in the place of the one that keeps results."""
    module = unit.module
    kind = f"{remedy.remedy}_memo"
    for each in node.decorator_list:
        called = each.func if isinstance(each, ast.Call) else each
        if last_name(called) in MEMOS:
            start, end = module.span(each)
            text = f'{kind}("{remedy.name}")'.encode()
            return [Edit(start, end, text)], f"from servicekit.caching import {kind}"
    raise Refused(
        f"{remedy.name} has no decorator that keeps its results",
        place=Place(module.file, node.lineno),
        hint="Run `migrator check` to bring the plan up to date, or set its remedy to `keep`.",
    )


def _class_replaced(
    unit: Unit, value: ast.Call, remedy: StateRemedy, maker: str
) -> tuple[list[Edit], str]:
    """Let the class of an extension's object be one that keeps outside of the process."""
    module = unit.module
    source, _, name = maker.partition(".")
    start, end = module.span(value.func)
    text = f'{name}("{remedy.name}", '.encode() + module.text[start:end] + b")"
    return [Edit(start, end, text)], f"from servicekit.{source} import {name}"


def _shared(unit: Unit, value: ast.expr | None, remedy: StateRemedy) -> tuple[list[Edit], str]:
    """Let a container made in place be one that is kept in the service's state store."""
    module = unit.module
    form = _container(value) if value is not None else None
    if value is None or form is None:
        raise Refused(
            f"{remedy.name} cannot be kept in the service's state store",
            place=Place(module.file, unit.first_line),
            hint="Only a dict, list or set made in place, a memoised function and a cache of "
            "Flask-Caching can; set its remedy to `keep` if one process may differ from another.",
        )
    kind, initial = form
    if remedy.remedy == "request":
        if kind != "Dict":
            raise Refused(
                f"{remedy.name} is no dict, and only a dict can be emptied for each request",
                place=Place(module.file, unit.first_line),
                hint="Make it a dict, or set its remedy to `shared`.",
            )
        kind = "RequestDict"
    else:
        kind = f"Shared{kind}"
    start, end = module.span(value)
    if initial == "itself":
        content = b", " + module.text[start:end]
    else:
        content = b", " + initial.encode() if initial else b""
    text = f'{kind}("{remedy.name}"'.encode() + content + b")"
    return [Edit(start, end, text)], f"from servicekit.state import {kind}"


def _container(value: ast.expr) -> tuple[str, str] | None:
    """The kind of a container made in place, and what stands for its content.

    That is `itself`, an argument, or nothing for an empty one.
    """
    if isinstance(value, ast.Dict):
        return "Dict", "itself" if value.keys else ""
    if isinstance(value, ast.List):
        return "List", "itself" if value.elts else ""
    if isinstance(value, ast.Set):
        return "Set", "itself"
    if isinstance(value, ast.DictComp):
        return "Dict", "itself"
    if isinstance(value, ast.ListComp):
        return "List", "itself"
    if not isinstance(value, ast.Call):
        return None
    name = last_name(value.func)
    plain = {"dict": "Dict", "OrderedDict": "Dict", "list": "List", "set": "Set"}.get(name)
    if plain is not None:
        return plain, "itself" if value.args or value.keywords else ""
    if name == "Counter" and not value.args and not value.keywords:
        return "Dict", "default_factory=int"
    if name == "defaultdict" and len(value.args) == 1:
        return "Dict", f"default_factory={ast.unparse(value.args[0])}"
    return None


def _lease(project: Project, unit: Unit, remedy: StateRemedy) -> tuple[list[Edit], str]:
    """Wrap the target of a thread or timer, or a loop's own definition, in `only_one`."""
    module = unit.module
    if remedy.kind == "job":
        return _leased_job(project, unit, remedy)
    edits: list[Edit] = []
    for node in ast.walk(unit.node):
        if isinstance(node, ast.Call) and last_name(node.func) in ("Thread", "Timer"):
            target = _thread_target(node)
            if target is None:
                continue
            name = _lease_name(project, unit, target)
            start, end = module.span(target)
            text = f'only_one("{name}", '.encode() + module.text[start:end] + b")"
            edits.append(Edit(start, end, text))
    if not edits:
        functions = [unit.node] if isinstance(unit.node, FunctionNode) else []
        if not functions:
            raise Refused(
                f"{remedy.name} cannot be limited to one process",
                place=Place(module.file, unit.first_line),
                hint="Name the function that the thread, timer or loop runs, or set the remedy "
                "to `keep`.",
            )
        start = module.offset(unit.first_line)
        edits.append(Edit(start, start, f'@only_one("{remedy.name}"){module.newline}'.encode()))
    return edits, "from servicekit.lease import only_one"


def _leased_job(project: Project, unit: Unit, remedy: StateRemedy) -> tuple[list[Edit], str]:
    """Let a scheduler's job end at once where another process runs it.

    Below the decorators of the definition: one of them may be what schedules it.
    """
    module = unit.module
    node = _named(project, unit, remedy.name)
    if not isinstance(node, FunctionNode):
        raise Refused(
            f"{remedy.name}, which a scheduler runs in each process, is no function with a name",
            place=Place(module.file, unit.first_line),
            hint="Make it one, or set its remedy to `keep` if it may run several times.",
        )
    start = module.offset(node.lineno)
    indent = " " * node.col_offset
    text = f'{indent}@only_one("{remedy.name}", wait=False){module.newline}'
    return [Edit(start, start, text.encode())], "from servicekit.lease import only_one"


def _thread_target(call: ast.Call) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg in ("target", "function"):
            return keyword.value
    if last_name(call.func) == "Timer" and len(call.args) > 1:
        return call.args[1]
    return None


def _lease_name(project: Project, unit: Unit, target: ast.expr) -> str:
    for reference in project.references_of(unit).names:
        if reference.node is target:
            for origin in project.origins_of(unit.module, reference):
                return origin.name
    return f"{unit.name}.{last_name(target)}"


def add_imports(text: bytes, lines: Iterable[str], own: Collection[str]) -> bytes:
    """`text` with `from x import y` lines of servicekit among those that it begins with.

    They stand where sorted imports would have them: in the block of the application's own modules
    (`own` are its top-level names), else in a block after the last from outside.
    """
    names: dict[str, set[str]] = {}
    for line in lines:
        source, _, name = line.removeprefix("from ").partition(" import ")
        names.setdefault(source, set()).add(name)
    newline = "\r\n" if b"\r\n" in text[: text.find(b"\n") + 1] else "\n"
    wanted = [f"from {each} import {', '.join(sorted(names[each]))}" for each in sorted(names)]
    blocks, first = _import_blocks(parse(text).body)
    for block in blocks:
        if _is_own(block[0], own):
            after = [each for each in block if _source(each) < "servicekit"]
            place = (after[-1].end_lineno or 0) + 1 if after else block[0].lineno
            break
        if isinstance(block[0], ast.ImportFrom) and block[0].level:
            place = block[0].lineno
            wanted.append("")
            break
    else:
        place = (blocks[-1][-1].end_lineno or 0) + 1 if blocks else first
        wanted = ["", *wanted] if blocks else [*wanted, ""]
    split = text.splitlines(keepends=True)
    addition = "".join(line + newline for line in wanted).encode()
    return b"".join([*split[: place - 1], addition, *split[place - 1 :]])


def _import_blocks(body: list[ast.stmt]) -> tuple[list[list[ast.stmt]], int]:
    """The blocks of imports that a module begins with, and the line where its first code stands."""
    blocks: list[list[ast.stmt]] = []
    for node in body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if not isinstance(node, ast.Import | ast.ImportFrom):
            decorators: list[ast.expr] = getattr(node, "decorator_list", [])
            return blocks, min([node.lineno, *(each.lineno for each in decorators)])
        if blocks and node.lineno == (blocks[-1][-1].end_lineno or 0) + 1:
            blocks[-1].append(node)
        else:
            blocks.append([node])
    return blocks, (body[-1].end_lineno or 0) + 1 if body else 1


def _source(node: ast.stmt) -> str:
    if isinstance(node, ast.ImportFrom):
        return node.module or ""
    return "" if isinstance(node, ast.Import) else "~"


def _is_own(node: ast.stmt, own: Collection[str]) -> bool:
    if isinstance(node, ast.ImportFrom):
        return not node.level and (node.module or "").partition(".")[0] in own
    return isinstance(node, ast.Import) and node.names[0].name.partition(".")[0] in own
