"""What `python -m servicekit.migrate` makes, and repairs."""

from __future__ import annotations

from two_services import Service


def epoch(service: Service) -> str:
    return str(service.rows("SELECT epoch FROM _feed")[0][0])


def names(service: Service, file: str, kind: str) -> set[str]:
    return {n for (n,) in service.rows(f"SELECT name FROM sqlite_master WHERE type='{kind}'", file)}


def reasons(service: Service) -> list[str]:
    program = "from servicekit import health; print('\\n'.join(health.unready()))"
    return service.run("-c", program).stdout.splitlines()


NO_SNAPSHOT = "no snapshot of accounts has been taken yet"


def test_twice_is_as_once(service: Service) -> None:
    before = epoch(service)
    service.migrate()
    assert epoch(service) == before
    assert {"orders", "order_tags", "_outbox"} <= names(service, "service.db", "table")
    assert {"members", "profiles", "_gate"} <= names(service, "replicas.db", "table")
    assert "_outbox_update_order_tags" in names(service, "service.db", "trigger")
    assert reasons(service) == [NO_SNAPSHOT]


def test_a_table_rebuilt_without_its_triggers_gets_them_and_a_new_epoch(service: Service) -> None:
    before = epoch(service)
    service.execute("CREATE TABLE rebuilt AS SELECT * FROM orders")
    service.execute("DROP TABLE orders")
    service.execute("ALTER TABLE rebuilt RENAME TO orders")
    found = reasons(service)
    assert "outbox trigger _outbox_delete_orders is missing or altered" in found
    assert "the schema of service.db differs from what its migrations made" in found
    service.migrate()
    assert reasons(service) == [NO_SNAPSHOT]
    assert epoch(service) != before, "what was written without triggers has no events"


def test_a_table_that_shadows_a_replica_is_a_reason(service: Service) -> None:
    service.execute("CREATE TABLE members (id INTEGER)")
    assert "table members in service.db shadows a replica" in reasons(service)


def test_a_lost_guard_is_a_reason_and_comes_back(service: Service) -> None:
    service.execute("DROP TRIGGER _guard_update_members", "replicas.db")
    assert "guard trigger _guard_update_members is missing or altered" in reasons(service)
    service.migrate()
    assert reasons(service) == [NO_SNAPSHOT]


def test_later_migrations_run_once_and_in_order(service: Service) -> None:
    folder = service.folder / "migrations"
    (folder / "0003_b.sql").write_text("INSERT INTO orders(id) SELECT count(*) + 10 FROM orders;")
    (folder / "0002_a.sql").write_text("ALTER TABLE orders ADD COLUMN note TEXT;")
    assert "migration 0002_a.sql is not applied" in reasons(service)
    service.migrate()
    service.migrate()
    assert service.rows("SELECT id, note FROM orders") == [(10, None)]
    (folder / "0002_a.sql").write_text("ALTER TABLE orders ADD COLUMN other TEXT;")
    assert "migration 0002_a.sql was changed after it was applied" in reasons(service)


def test_a_failing_migration_leaves_nothing_behind(service: Service) -> None:
    path = service.folder / "migrations" / "0002_bad.sql"
    path.write_text("CREATE TABLE half (id INTEGER);\nINSERT INTO nowhere VALUES (1);\n")
    done = service.run("-m", "servicekit.migrate")
    assert done.returncode == 1
    assert "0002_bad.sql: no such table: nowhere" in done.stderr
    assert "half" not in names(service, "service.db", "table")


def test_new_replica_ddl_makes_the_copies_anew(service: Service) -> None:
    service.execute("INSERT INTO _cursors VALUES ('accounts', 'e', 7)", "replicas.db")
    path = service.folder / "migrations" / "replicas.sql"
    path.write_text(path.read_text() + "CREATE INDEX ix_bio ON profiles (bio);\n")
    service.migrate()
    assert "ix_bio" in names(service, "replicas.db", "index")
    assert service.rows("SELECT * FROM _cursors", "replicas.db") == []


def test_spoilt_files(service: Service) -> None:
    for name in ("replicas.db", "state.db"):
        (service.data / name).write_bytes(b"garbage" * 1000)
        for suffix in ("-wal", "-shm"):
            (service.data / (name + suffix)).unlink(missing_ok=True)
    service.migrate()
    assert reasons(service) == [NO_SNAPSHOT]
    (service.data / "service.db").write_bytes(b"garbage" * 1000)
    assert any("service.db cannot be used" in reason for reason in reasons(service))
    done = service.run("-m", "servicekit.migrate")
    assert done.returncode == 1
    assert "restore it from a backup" in done.stderr
    assert (service.data / "service.db").read_bytes() == b"garbage" * 1000
