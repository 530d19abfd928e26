"""An application that migrates its database when it starts, on a stand-in of Alembic."""

from __future__ import annotations

from two_services import Service

ALEMBIC = "def upgrade(config, revision='head'):\n    raise SystemExit('migrated')\n"
STARTS = "from alembic import command; command.upgrade(object(), 'head'); print('started')"


def test_a_service_is_not_migrated_by_the_application(service: Service) -> None:
    package = service.folder / "src" / "alembic"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "command.py").write_text(ALEMBIC)
    done = service.run("-m", "servicekit.run", "python", "-c", STARTS)
    assert done.returncode == 0 and "started" in done.stdout, done.stderr
    assert service.run("-c", STARTS).returncode == 1
