"""Flask-Security: a datastore that finds, makes and changes users and roles, and who is signed in.

Its own pages (`/login`, `/register`) are pages of a package, as its code is no part of the project.
"""

from __future__ import annotations

from collections.abc import Iterable

from migrator.graph.effects.mapping import Mapping
from migrator.graph.effects.models import RelationFact, TableFact
from migrator.graph.framework import Framework
from migrator.graph.frameworks.flask_login import FlaskLogin
from migrator.graph.frameworks.sqlalchemy import SQLAlchemy
from migrator.graph.linking.values import Kind
from migrator.graph.orm.builder import MappingBuilder
from migrator.graph.orm.facts import Deed
from migrator.graph.protocol import CallSite, ClassView, Engine, Site
from migrator.model.program import Column

_STORES = frozenset(
    {"SQLAlchemyUserDatastore", "SQLAlchemySessionUserDatastore", "FSQLALiteUserDatastore"}
)
_STORE = "flask_security:datastore"
_EXTENSION = "flask_security:extension"
_VIA = "Flask-Security"

_FINDS_USER = frozenset({"find_user", "get_user", "get_user_by_id"})
_CHANGES_USER = frozenset(
    {
        "toggle_active", "activate_user", "deactivate_user", "set_uniquifier",
        "set_token_uniquifier", "reset_user_access", "tf_set", "tf_reset", "us_set", "us_reset",
        "us_setup_email", "mf_set_recovery_codes", "mf_delete_recovery_code",
    }
)  # fmt: skip
_CHANGES_ROLES = frozenset({"add_role_to_user", "remove_role_from_user"})
_CHANGES_ROLE = frozenset({"add_permissions_to_role", "remove_permissions_from_role"})
_SIGNS_IN = frozenset({"login_user", "logout_user", "verify_and_update_password"})
_GUARDS = frozenset(
    {
        "login_required", "auth_required", "auth_token_required", "http_auth_required",
        "roles_required", "roles_accepted", "permissions_required", "permissions_accepted",
    }
)  # fmt: skip
_GUARD = "flask_security:guard"
_ROLES_USERS = "roles_users"


class FlaskSecurity(Framework):
    """The plug-in: the methods of a datastore are statements on its two models."""

    name = "flask_security"
    externals = ("flask_security",)

    def __init__(self, sqlalchemy: SQLAlchemy, login: FlaskLogin) -> None:
        self._facts = sqlalchemy.facts
        self._mixed: dict[str, dict[str, ClassView]] = {"FsUserMixin": {}, "FsRoleMixin": {}}
        """Its own mix-ins to the classes that get their columns from them."""
        sqlalchemy.companions.append(self._companions)
        login.loads.append(self._load)

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.kind == Kind.EXTERNAL:
            return self._call_outside(engine, site, view.name.rsplit(".", 1)[-1])
        if view.kind == Kind.OPAQUE and view.name == _GUARD:
            return self._guard(engine, site)
        if view.kind != Kind.BOUND:
            return None
        owner = engine.values.view(view.owner)
        method = engine.values.name(view.function).rsplit(".", 1)[-1]
        if owner.name == _EXTENSION:
            if method == "init_app":
                self._in_use(engine, site.argument(1, "datastore"))
            return ()
        if owner.name == _STORE:
            return self._call_store(engine, site, view.owner, method)
        return None

    def class_body(self, engine: Engine, class_: ClassView, base: int) -> None:
        mixed = self._mixed.get(engine.values.name(base).rsplit(".", 1)[-1])
        if mixed is not None:
            mixed[class_.name] = class_

    def attribute(
        self, engine: Engine, site: Site, receiver: int, name: str, base: int
    ) -> Iterable[int] | None:
        if engine.values.name(receiver) == _EXTENSION and name == "datastore":
            return engine.points_to(self._stores(engine))
        if engine.values.name(receiver) == _STORE and name in {"db", "user_model", "role_model"}:
            return engine.points_to(engine.slot(self.name, name, receiver))
        return None

    def _call_outside(self, engine: Engine, site: CallSite, name: str) -> Iterable[int] | None:
        values = engine.values
        if name in _STORES:
            self.seen = True
            store = values.opaque(_STORE, site.key)
            for position, what in enumerate(("db", "user_model", "role_model")):
                variable = site.argument_variable(position, what)
                if variable is not None:
                    engine.flow(variable, engine.slot(self.name, what, store))
            return (store,)
        if name == "Security":
            self._in_use(engine, site.argument(1, "datastore"))
            return (values.opaque(_EXTENSION),)
        if name in _GUARDS:
            # With arguments (`roles_required("admin")`) the decorator is what comes out.
            return self._guard(engine, site) or (values.opaque(_GUARD, site.key),)
        if name in _SIGNS_IN:
            # It keeps when and from where they sign in, and renews an old password's hash.
            for store in engine.points_to(self._stores(engine)):
                self._note(engine, site, store, "user", "update")
            return ()
        return None

    def _in_use(self, engine: Engine, stores: Iterable[int]) -> None:
        for store in stores:
            if engine.values.name(store) == _STORE:
                engine.add(self._stores(engine), store)
                for user in self._models(engine, store, "user"):
                    engine.add(engine.slot("flask_login", "users"), engine.values.instance(user))

    def _stores(self, engine: Engine) -> int:
        return engine.slot(self.name, "stores")

    def _models(self, engine: Engine, store: int, what: str) -> list[int]:
        found = engine.points_to(engine.slot(self.name, f"{what}_model", store))
        return [each for each in found if engine.values.kind(each) == Kind.CLASS]

    def _note(self, engine: Engine, site: Site, store: int, what: str, *deeds: Deed) -> list[int]:
        """Deeds on the rows of one of the models; its instances."""
        models = self._models(engine, store, what)
        for model in models:
            for deed in deeds:
                roles = "roles" if deed in ("load", "relate") else ""
                self._facts.note(site, deed, model, roles, via=_VIA)
        return [engine.values.instance(model) for model in models]

    def _load(self, engine: Engine, site: Site) -> None:
        """Who asks is loaded here, with their roles."""
        for store in engine.points_to(self._stores(engine)):
            self._note(engine, site, store, "user", "read", "load")

    def _call_store(self, engine: Engine, site: CallSite, store: int, method: str) -> Iterable[int]:
        if method in _FINDS_USER:
            return self._note(engine, site, store, "user", "read")
        if method == "find_role":
            return self._note(engine, site, store, "role", "read")
        if method == "create_user":
            self._note(engine, site, store, "role", "read")
            return self._note(engine, site, store, "user", "insert", "relate")
        if method in {"create_role", "find_or_create_role"}:
            return self._note(engine, site, store, "role", "read", "insert")
        if method in _CHANGES_ROLES:
            self._note(engine, site, store, "role", "read")
            self._note(engine, site, store, "user", "read", "load", "relate")
        elif method in _CHANGES_USER:
            self._note(engine, site, store, "user", "update")
        elif method in _CHANGES_ROLE:
            self._note(engine, site, store, "role", "update")
        elif method == "delete_user":
            self._note(engine, site, store, "user", "delete")
        elif method == "commit":
            self._facts.end(site, "commit")
        elif method in {"put", "delete"}:
            self._given(engine, site, method)
            return site.argument(0, "model")
        return ()

    def _given(self, engine: Engine, site: CallSite, method: str) -> None:
        """`put` and `delete` take any object of a model."""
        for value in site.argument(0, "model"):
            if engine.values.kind(value) == Kind.INSTANCE:
                model = engine.values.view(value).owner
                self._facts.note(site, "update" if method == "put" else "delete", model, via=_VIA)

    def _guard(self, engine: Engine, site: CallSite) -> list[int]:
        """What is guarded begins with loading who asks, and their roles."""
        functions = [
            each
            for each in site.argument(0)
            if engine.values.kind(each) in (Kind.FUNCTION, Kind.BOUND, Kind.PARTIAL)
        ]
        for function in functions:
            place = engine.inside(function)
            if place is not None:
                self._load(engine, place)
        return functions

    def _companions(self, engine: Engine, mapping: Mapping, builder: MappingBuilder) -> None:
        """What the mix-ins declare that effects depend on: which user has which roles."""
        for user in self._mixed["FsUserMixin"].values():
            for role in self._mixed["FsRoleMixin"].values():
                users, roles = mapping.models.get(user.name), mapping.models.get(role.name)
                if users is None or roles is None:
                    continue
                columns = [
                    Column(name=f"{what}_id", type="Integer", references=f"{model.table}.id")
                    for what, model in (("user", users), ("role", roles))
                ]
                references = [(users.table, ""), (roles.table, "")]
                mapping.tables.setdefault(
                    _ROLES_USERS,
                    TableFact(_ROLES_USERS, user.file, user.line, columns, references),
                )
                for model, name, target in ((users, "roles", role), (roles, "users", user)):
                    model.relations.setdefault(
                        name,
                        RelationFact(
                            name,
                            target.name,
                            many=True,
                            secondary=_ROLES_USERS,
                            direction="many-to-many",
                            line=target.line,
                        ),
                    )
