"""The walk of `match`: what its patterns capture, and what class patterns tell of it."""

from __future__ import annotations

import ast

from migrator.facts import ir
from migrator.facts.branches import BranchWalker
from migrator.facts.walker import Result, place


class PatternWalker(BranchWalker):
    """A case is a branch in which its captures are bound."""

    def match(self, node: ast.Match) -> None:
        subject = self.walk(node.subject)
        frame, flags = self.frame, self.flags
        self.flags |= ir.CONDITIONAL
        before, ends = frame.env, [frame.env]
        for case in node.cases:
            frame.env = dict(before)
            self._pattern(case.pattern, subject)
            if case.guard is not None:
                self.walk(case.guard)
            if not self.block(case.body):
                ends.append(frame.env)
        self.flags = flags
        frame.merge(ends)

    def _pattern(self, pattern: ast.pattern, subject: Result) -> None:
        """Names that a pattern captures; a class pattern tells what they are."""
        if isinstance(pattern, ast.MatchClass):
            self._class_pattern(pattern)
        elif isinstance(pattern, ast.MatchAs):
            if isinstance(pattern.pattern, ast.MatchClass):
                subject = self._class_pattern(pattern.pattern)
            elif pattern.pattern is not None:
                self._pattern(pattern.pattern, subject)
            self._capture(pattern.name, subject)
        elif isinstance(pattern, ast.MatchSequence):
            self._sequence_pattern(pattern, subject)
        elif isinstance(pattern, ast.MatchMapping):
            for key, value in zip(pattern.keys, pattern.patterns, strict=True):
                self._pattern(value, self._item_of(subject, key))
            self._capture(pattern.rest, subject)
        elif isinstance(pattern, ast.MatchOr):
            for each in pattern.patterns:
                self._pattern(each, subject)
        elif isinstance(pattern, ast.MatchValue):
            self.walk(pattern.value)

    def _capture(self, name: str | None, value: Result) -> None:
        if name is not None:
            variable = self.write(name)
            if value is not None:
                self.frame.code.append((ir.COPY, variable, value))

    def _class_pattern(self, pattern: ast.MatchClass) -> Result:
        """An object of the class, whose attributes are matched further."""
        typed = self.frame.new()
        annotation = self.annotation(pattern.cls)
        self.frame.code.append((ir.ANNOTATED, typed, annotation, False))
        for name, each in zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True):
            target = self.frame.new()
            code = (ir.ATTRIBUTE, target, typed, name, self.flags, *place(pattern.cls))
            self.frame.code.append(code)
            self._pattern(each, target)
        for each in pattern.patterns:
            self._pattern(each, None)
        return typed

    def _sequence_pattern(self, pattern: ast.MatchSequence, subject: Result) -> None:
        variables = [self.frame.new() for _ in pattern.patterns]
        stars = [n for n, each in enumerate(pattern.patterns) if isinstance(each, ast.MatchStar)]
        if subject is not None:
            star = stars[0] if stars else len(variables)
            starred = variables[star] if stars else None
            after = tuple(variables[star + 1 :])
            self.frame.code.append((ir.UNPACK, subject, tuple(variables[:star]), starred, after))
        for each, variable in zip(pattern.patterns, variables, strict=True):
            if isinstance(each, ast.MatchStar):
                self._capture(each.name, variable)
            else:
                self._pattern(each, variable)

    def _item_of(self, subject: Result, key: ast.expr) -> Result:
        constant, variable = self.key(key)
        if subject is None:
            return None
        target = self.frame.new()
        code = (ir.ITEM, target, subject, constant, variable, self.flags, *place(key))
        self.frame.code.append(code)
        return target
