"""WTForms: validating a form runs the validators that its class defines."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.graph.framework import Framework
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine

_VALIDATES = frozenset({"validate", "validate_on_submit"})


class WTForms(Framework):
    """The plug-in: `form.validate()` calls every `validate_FIELD` of the form."""

    name = "wtforms"
    externals = ("wtforms", "flask_wtf", "wtforms_sqlalchemy")

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.kind != Kind.BOUND or engine.values.kind(view.owner) != Kind.INSTANCE:
            return None
        method = engine.values.name(view.function).rsplit(".", 1)[-1]
        class_ = engine.values.view(view.owner).owner
        if method in _VALIDATES:
            self.seen = True
            self._validate(engine, site, view.owner, class_, method)
            return ()
        if method == "populate_obj":
            return ()
        return None

    def _validate(
        self, engine: Engine, site: CallSite, form: int, class_: int, method: str
    ) -> None:
        names = set()
        for owner in engine.bases(class_):
            if engine.values.kind(owner) == Kind.CLASS:
                names |= {each.name for each in engine.class_view(owner).attributes}
        called = sorted(name for name in names if name.startswith("validate_"))
        if method == "validate_on_submit" and "validate" in names:
            called.append("validate")
        field = engine.slot("wtforms", "field")
        for name in called:
            if name != "validate_on_submit":
                for function in engine.points_to(engine.attribute(site, form, name)):
                    engine.invoke(site, function, [field])
