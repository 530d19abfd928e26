"""Sessions, queries and statements: what they read and write, and what comes out of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from migrator.graph.linking.values import Kind
from migrator.graph.orm.declarations import Declarations
from migrator.graph.orm.declared import ATTRIBUTE, CLASS_TABLE, TABLE, TABLE_COLUMNS
from migrator.graph.orm.facts import Deed, Facts
from migrator.graph.protocol import CallSite, Engine, Site, with_elements

SESSION = "sqlalchemy:session"
FACTORY = "sqlalchemy:sessionmaker"
QUERY = "sqlalchemy:query"
RESULT = "sqlalchemy:result"
SCALARS = "sqlalchemy:scalars"
ROW = "sqlalchemy:row"
TEXT = "sqlalchemy:text"
WRITE = "sqlalchemy:write"
ALIAS = "sqlalchemy:alias"
COLLECTION = "sqlalchemy:collection"
PAGINATION = "sqlalchemy:pagination"
SUBQUERY = "sqlalchemy:subquery"
TRANSACTION = "sqlalchemy:transaction"

_ONE = frozenset(
    {
        "first", "one", "one_or_none", "get", "get_or_404", "first_or_404", "one_or_404",
        "fetchone", "get_one",
    }
)  # fmt: skip
_SCALAR = frozenset({"scalar", "scalar_one", "scalar_one_or_none"})
_MANY = frozenset({"all", "fetchall", "fetchmany", "partitions", "to_list", "unique_all"})
_WRAPPED = frozenset({"aliased", "with_polymorphic", "of_type", "alias", "lateral"})


class Queries:
    """What sessions, queries and statements do at their call sites."""

    def __init__(self, declarations: Declarations, facts: Facts) -> None:
        self.declared = declarations
        self.facts = facts
        self._named: dict[int, dict[tuple[str, int], None]] = {}
        self._made_in: dict[int, str] = {}

    # -- making queries ---------------------------------------------------------------------------

    def of_class(self, engine: Engine, site: Site, class_: int, via: str) -> int:
        """`Model.query`."""
        value = engine.values.opaque(QUERY, ("class", class_), 1)
        engine.flow(self.declared.loaded_as(engine, class_), self._row(engine, value, 0))
        self.facts.note(site, "read", class_, via=via)
        return value

    def select(self, engine: Engine, site: CallSite, via: str) -> int:
        """`session.query(A, B.x)`, `select(A, B.x)`, `exists(...)`."""
        value = engine.values.opaque(QUERY, site.key, max(site.positional, 1))
        self._made_in[value] = site.function
        for position in range(site.positional):
            self._entities(engine, site, value, position, site.argument(position), via)
        return value

    def select_of(self, engine: Engine, site: CallSite, class_: int) -> int:
        """`Model.select()`, where a base has such a method."""
        value = engine.values.opaque(QUERY, site.key, 1)
        self._made_in[value] = site.function
        self._entities(engine, site, value, 0, [class_], "select")
        return value

    def _entities(
        self,
        engine: Engine,
        site: Site,
        query: int,
        position: int,
        arguments: Iterable[int],
        via: str,
    ) -> None:
        for argument in with_elements(engine, arguments):
            class_ = self.class_of(engine, argument)
            if class_ is not None:
                row = self._row(engine, query, position)
                engine.flow(self.declared.loaded_as(engine, class_), row)
            self.mentioned(engine, site, argument, via)
            self._named.setdefault(query, {})[("read", argument)] = None

    def class_of(self, engine: Engine, value: int) -> int | None:
        """The model that an entity argument stands for: a class, or an alias of one."""
        view = engine.values.view(value)
        if view.kind == Kind.CLASS and self.declared.is_model(value):
            return value
        if view.name == ALIAS:
            return int(str(view.parts[0]))
        return None

    def mentioned(self, engine: Engine, site: Site, value: int, via: str) -> None:
        """An argument of a query method reads the table that it names."""
        class_ = self.class_of(engine, value)
        view = engine.values.view(value)
        if class_ is not None:
            self.facts.note(site, "read", class_, via=via)
        elif view.name in (TABLE, TABLE_COLUMNS):
            table = value if view.name == TABLE else int(str(view.parts[0]))
            self.facts.note(site, "read", table, via=via)
        elif view.name == CLASS_TABLE:
            self.facts.note(site, "read", int(str(view.parts[0])), via=via)
        elif view.name == ATTRIBUTE:
            self.facts.note(site, "mention", int(str(view.parts[0])), str(view.parts[1]), via=via)
        elif view.name == TEXT:
            self.facts.run_sql(site, str(view.parts[0]))

    def _row(self, engine: Engine, query: int, position: int) -> int:
        return engine.slot("sqlalchemy", "row", query, position)

    def rows(self, engine: Engine, query: int) -> tuple[int, ...]:
        """All entities of a query's rows, whatever their position."""
        view = engine.values.view(query)
        count = int(str(view.parts[1])) if len(view.parts) > 1 else 1
        found: list[int] = []
        for position in range(count):
            found += engine.points_to(self._row(engine, query, position))
        return tuple(dict.fromkeys(found))

    def result_row(self, engine: Engine, query: int, *, scalar: bool) -> tuple[int, ...]:
        """What one row is: the entity itself, or a row of several."""
        view = engine.values.view(query)
        single = int(str(view.parts[1])) == 1 if len(view.parts) > 1 else True
        first = engine.points_to(self._row(engine, query, 0))
        if scalar or single:
            return first
        return (engine.values.opaque(ROW, query),)

    # -- session ----------------------------------------------------------------------------------

    def session_call(self, engine: Engine, site: CallSite, method: str) -> Iterable[int] | None:
        """A method of a session, a scoped session or a connection."""
        if method in {"add", "add_all", "bulk_save_objects", "merge"}:
            found = self._instances(engine, site.argument(0))
            for instance in found:
                self.facts.note(
                    site, "insert", engine.values.view(instance).owner, via=f"session.{method}"
                )
                if method in {"merge", "bulk_save_objects"}:
                    owner = engine.values.view(instance).owner
                    self.facts.note(site, "update", owner, via=f"session.{method}")
            return found if method == "merge" else ()
        if method == "delete":
            for instance in self._instances(engine, site.argument(0)):
                self.facts.note(
                    site, "delete", engine.values.view(instance).owner, via="session.delete"
                )
            return ()
        if method in {"bulk_insert_mappings", "bulk_update_mappings"}:
            for class_ in site.argument(0):
                deed: Deed = "insert" if "insert" in method else "row-update"
                self.facts.note(site, deed, class_, via=f"session.{method}")
            return ()
        if method in {"commit", "rollback", "flush"}:
            self.facts.end(site, method)  # type: ignore[arg-type]
            return ()
        if method in {"begin", "begin_nested"}:
            if method == "begin":
                self.facts.end(site, "begin")
            return (engine.values.opaque(TRANSACTION, site.key),)
        if method == "query":
            return (self.select(engine, site, "query"),)
        if method in {
            "execute",
            "scalar",
            "scalars",
            "exec",
            "stream",
            "stream_scalars",
            "exec_driver_sql",
        }:
            return self._execute(engine, site, method)
        if method in {"get", "get_one", "get_or_404", "first_or_404", "one_or_404"}:
            return self._get(engine, site, method)
        if method == "paginate":
            return self._paginate(engine, site, site.argument(0))
        if method == "refresh":
            for instance in self._instances(engine, site.argument(0)):
                self.facts.note(
                    site, "read", engine.values.view(instance).owner, via="session.refresh"
                )
            return ()
        if method in {"connection", "get_bind", "connect", "execution_options", "raw_connection"}:
            tag = "dbapi:connection" if method == "raw_connection" else SESSION
            return (engine.values.opaque(tag),)
        if method in {"remove", "close", "expunge", "expunge_all", "expire", "expire_all"}:
            return ()
        return None

    def _instances(self, engine: Engine, values: Iterable[int]) -> list[int]:
        """The model instances among values, also those inside of containers."""
        return [
            value
            for value in with_elements(engine, values)
            if engine.values.kind(value) == Kind.INSTANCE
            and self.declared.is_model(engine.values.view(value).owner)
        ]

    def _get(self, engine: Engine, site: CallSite, method: str) -> list[int]:
        found: list[int] = []
        for argument in site.argument(0, "entity"):
            class_ = self.class_of(engine, argument)
            if class_ is not None:
                self.facts.note(site, "read", class_, via=f"session.{method}")
                found += engine.points_to(self.declared.loaded_as(engine, class_))
            elif engine.values.name(argument) == QUERY:
                found += self.result_row(engine, argument, scalar=True)
        return found

    def _execute(self, engine: Engine, site: CallSite, method: str) -> list[int]:
        found: list[int] = []
        for statement in site.argument(0, "statement"):
            view = engine.values.view(statement)
            if view.kind in (Kind.STRING, Kind.TEMPLATE):
                self.facts.run_sql(site, view.name)
            elif view.name == TEXT:
                self.facts.run_sql(site, str(view.parts[0]))
            elif view.name in (QUERY, WRITE):
                self.replay(engine, site, statement)
            if view.name == QUERY:
                if method in {"scalars", "stream_scalars"}:
                    found.append(engine.values.opaque(SCALARS, statement))
                elif method == "scalar":
                    found += self.result_row(engine, statement, scalar=True)
                elif method == "exec":
                    found.append(statement)
                else:
                    found.append(engine.values.opaque(RESULT, statement))
        return found or [engine.values.opaque(RESULT, -1)]

    def replay(self, engine: Engine, site: Site, statement: int) -> None:
        """A statement made elsewhere is executed here: what it names is touched here too."""
        if self._made_in.get(statement) == site.function:
            return
        for deed, value in self._named.get(statement, {}):
            if deed == "read":
                self.mentioned(engine, site, value, "statement")
            else:
                self._write(engine, site, deed, value)

    # -- statements that write --------------------------------------------------------------------

    def write(self, engine: Engine, site: CallSite, verb: str, target: Iterable[int]) -> list[int]:
        """`insert(X)`, `update(X)`, `delete(X)` and `table.insert()`."""
        value = engine.values.opaque(WRITE, site.key)
        self._made_in[value] = site.function
        for each in target:
            self._named.setdefault(value, {})[(verb, each)] = None
            self._write(engine, site, verb, each)
        return [value]

    def upsert(self, engine: Engine, site: CallSite, statement: int) -> None:
        """`insert(X).on_conflict_do_update(...)` updates too."""
        named = self._named.setdefault(statement, {})
        for _, target in tuple(named):
            named[("update", target)] = None
            self._write(engine, site, "update", target)

    def names(self, engine: Engine, statement: int) -> list[int]:
        """The entities, tables and columns that a query or a subquery of one names."""
        view = engine.values.view(statement)
        if view.name == SUBQUERY:
            return self.names(engine, int(str(view.parts[0])))
        return [value for _, value in self._named.get(statement, {})]

    def _write(self, engine: Engine, site: Site, verb: str, target: int) -> None:
        view = engine.values.view(target)
        subject: int | None = target if view.name == TABLE else self.class_of(engine, target)
        if view.name == CLASS_TABLE:
            subject = int(str(view.parts[0]))
        if subject is None:
            return
        if verb == "insert":
            self.facts.note(site, "insert", subject, via="insert()")
        elif verb == "update":
            self.facts.note(site, "row-update", subject, via="update()")
        else:
            self.facts.note(site, "row-delete", subject, via="delete()")

    # -- queries ----------------------------------------------------------------------------------

    def query_call(
        self, engine: Engine, site: CallSite, query: int, method: str
    ) -> Iterable[int] | None:
        """A method of a query or a select statement."""
        if method in _SCALAR:
            return self.result_row(engine, query, scalar=True)
        if method in _ONE:
            return self.result_row(engine, query, scalar=False)
        if method in _MANY:
            return (self._list(engine, site, self.result_row(engine, query, scalar=False)),)
        if method == "paginate":
            return self._paginate(engine, site, [query])
        if method in {"update", "delete"}:
            verb = "row-update" if method == "update" else "row-delete"
            for instance in self.rows(engine, query):
                owner = engine.values.view(instance).owner
                self.facts.note(site, verb, owner, via=f"query.{method}")  # type: ignore[arg-type]
            return ()
        if method in {"count", "exists", "delete_all"}:
            return ()
        if method in {"subquery", "cte", "as_scalar", "scalar_subquery", "label"}:
            return (engine.values.opaque(SUBQUERY, query),)
        if method in {"with_entities", "with_only_columns", "add_columns", "add_entity"}:
            return (
                self.select(engine, site, f"query.{method}"),
                *((query,) if method.startswith("add") else ()),
            )
        for position in range(site.positional):
            for argument in site.argument(position):
                self.mentioned(engine, site, argument, f"query.{method}")
                self._named.setdefault(query, {})[("read", argument)] = None
        return (query,)

    def _list(self, engine: Engine, site: Site, elements: Iterable[int]) -> int:
        return engine.container("builtins.list", site, *elements)

    def _paginate(self, engine: Engine, site: CallSite, queries: Iterable[int]) -> list[int]:
        found = []
        for query in queries:
            if engine.values.name(query) == QUERY:
                self.replay(engine, site, query)
                found.append(engine.values.opaque(PAGINATION, query))
        return found

    # -- what comes out ---------------------------------------------------------------------------

    def iterate(self, engine: Engine, site: Site, value: int) -> Iterable[int] | None:
        """The elements of a query, a result, a row or a page."""
        view = engine.values.view(value)
        if view.name == QUERY:
            return self.result_row(engine, value, scalar=False)
        if not view.parts or not isinstance(view.parts[0], int) or view.parts[0] < 0:
            return ()
        query = view.parts[0]
        if view.name in (SCALARS, PAGINATION):
            return self.result_row(engine, query, scalar=True)
        if view.name == RESULT:
            return (engine.values.opaque(ROW, query),)
        if view.name == ROW:
            return self.rows(engine, query)
        return ()

    def item(
        self, engine: Engine, site: Site, value: int, key: Hashable | None
    ) -> Iterable[int] | None:
        """`row[0]`, `query[0:10]`."""
        view = engine.values.view(value)
        if view.name == ROW and isinstance(key, int):
            query = int(str(view.parts[0]))
            return engine.points_to(self._row(engine, query, key))
        if view.name == QUERY:
            return (value, *self.result_row(engine, value, scalar=False))
        return self.iterate(engine, site, value)

    def result_call(
        self, engine: Engine, site: CallSite, value: int, method: str
    ) -> Iterable[int] | None:
        """A method of an executed result, its scalars or a row."""
        view = engine.values.view(value)
        query = int(str(view.parts[0]))
        if query < 0:
            return (value,) if method in {"mappings", "scalars", "unique"} else ()
        if view.name == PAGINATION:
            return (value,) if method in {"next", "prev"} else None
        scalar = view.name == SCALARS
        if method in _SCALAR:
            return self.result_row(engine, query, scalar=True)
        if method in _ONE:
            if scalar:
                return self.result_row(engine, query, scalar=True)
            return (engine.values.opaque(ROW, query),)
        if method in _MANY:
            elements = (
                self.result_row(engine, query, scalar=True)
                if scalar
                else (engine.values.opaque(ROW, query),)
            )
            return (self._list(engine, site, elements),)
        if method == "scalars":
            return (engine.values.opaque(SCALARS, query),)
        if method in {"unique", "mappings", "tuples", "yield_per", "columns", "_asdict"}:
            return (value,)
        return None

    def alias(self, engine: Engine, site: CallSite, arguments: Iterable[int]) -> list[int]:
        """`aliased(Model)`."""
        found = []
        for argument in arguments:
            class_ = self.class_of(engine, argument)
            if class_ is not None:
                found.append(engine.values.opaque(ALIAS, class_))
            elif engine.values.name(argument) in (TABLE, SUBQUERY):
                found.append(argument)
        return found
