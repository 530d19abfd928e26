"""What a service installs: what its code imports, at the monolith's versions."""

from __future__ import annotations

import itertools
import sys

import bakery
import pytest

from migrator.generation.packaging import Pinning
from migrator.model.distributions import Distribution, Installed
from migrator.model.errors import Refused

ENVIRONMENT = Installed(
    python=sys.executable,
    version="3.11.7",
    distributions=(
        Distribution(name="WTForms", version="3.1", imports=("wtforms",), requires=(
            "markupsafe", "email-validator ; extra == 'email'", "pytest>=7; extra == 'test'",
        )),
        Distribution(name="MarkupSafe", version="2.1", imports=("markupsafe",), requires=(
            "pytest>=4.3; extra == 'tests-no-zope'",
        )),
        Distribution(name="email_validator", version="2.0", imports=("email_validator",),
                     requires=("dnspython>=2",)),
        Distribution(name="dnspython", version="2.4", imports=("dns",)),
        Distribution(name="pytest", version="8.0", imports=("pytest", "_pytest")),
        Distribution(name="SQLAlchemy", version="2.0.3", imports=("sqlalchemy",), requires=(
            "psycopg2>=2.7; extra == 'postgresql'", "greenlet; extra == 'asyncio'",
        )),
        Distribution(name="psycopg2", version="2.9", imports=("psycopg2",)),
        Distribution(name="greenlet", version="3.0", imports=("greenlet",)),
        Distribution(name="sqlalchemy-odd", version="1.0", imports=("odd",),
                     plugs_into=("sqlalchemy.dialects",)),
        Distribution(name="celery", version="5.3", imports=("celery",), scripts=("celery",)),
        Distribution(name="gunicorn", version="21.2", imports=("gunicorn",)),
        Distribution(name="Authlib", version="1.3", imports=("authlib",),
                     loads=("markupsafe", "pytest", "pkg_resources", "absent")),
        Distribution(name="setuptools", version="70", imports=("pkg_resources", "setuptools")),
        Distribution(name="pip", version="24.0", imports=("pip",)),
        Distribution(name="in-house", version="1.0", imports=("in_house",),
                     url="git+https://git.example/in-house@abc"),
        Distribution(name="from-disk", version="1.0", imports=("from_disk",),
                     url="file:///home/me/from-disk"),
    ),
)  # fmt: skip


def own(*imports: str, commands: tuple[str, ...] = ()) -> list[str]:
    return [line for line in Pinning(ENVIRONMENT).direct(imports, commands) if "==" in line]


def test_an_import_is_the_distribution_that_it_comes_from_at_the_monoliths_version() -> None:
    assert own("markupsafe", "json", "os") == ["MarkupSafe==2.1"]


def test_optional_parts_that_the_monolith_has_are_kept_and_tools_are_not() -> None:
    assert own("wtforms") == ["email_validator==2.0", "WTForms==3.1"]


def test_what_a_distribution_loads_without_asking_for_it_is_kept() -> None:
    assert own("authlib") == ["Authlib==1.3", "MarkupSafe==2.1", "setuptools==70"]


def test_plug_ins_of_what_is_imported_are_kept() -> None:
    assert "sqlalchemy-odd==1.0" in own("sqlalchemy")


def test_a_driver_of_a_database_server_comes_only_where_the_code_imports_it() -> None:
    assert own("sqlalchemy") == ["greenlet==3.0", "SQLAlchemy==2.0.3", "sqlalchemy-odd==1.0"]
    assert "psycopg2==2.9" in own("sqlalchemy", "psycopg2")


def test_a_worker_brings_the_program_that_it_runs() -> None:
    assert own(commands=("celery -A shop worker",)) == ["celery==5.3"]


def test_servicekit_brings_its_own_needs_once() -> None:
    lines = Pinning(ENVIRONMENT).direct(["gunicorn"], [])
    assert [line for line in lines if line.lower().startswith("gunicorn")] == ["gunicorn==21.2"]
    assert any(line.startswith("structlog") for line in lines)


def test_a_distribution_from_a_repository_keeps_its_address() -> None:
    lines = Pinning(ENVIRONMENT).direct(["in_house"], [])
    assert lines[0] == "in-house @ git+https://git.example/in-house@abc"


def test_a_distribution_from_a_folder_is_refused() -> None:
    with pytest.raises(Refused, match="file:///home/me/from-disk"):
        own("from_disk")


def test_requirements_are_closed_hashed_and_name_no_index() -> None:
    installed = bakery.installed()
    versions = {each.name.lower(): each.version for each in installed.distributions}
    pinning = Pinning(installed)
    text = pinning.closed(pinning.direct(["flask"], []), "baking")
    assert f"flask=={versions['flask']}" in text
    assert f"werkzeug=={versions['werkzeug']}" in text
    lines = text.splitlines()
    pins = [line for line in lines if "==" in line]
    assert len(pins) > 8
    for line, following in itertools.pairwise(lines):
        assert "==" not in line or following.strip().startswith("--hash=sha256:")
    assert "http" not in text
    assert "sqlalchemy" not in text


def test_what_does_not_fit_together_is_refused_in_uvs_words() -> None:
    with pytest.raises(Refused, match=r"(?s)baking: no set of versions.*flask"):
        Pinning(bakery.installed()).closed(["flask==1.0.1", "flask==1.0.2"], "baking")
