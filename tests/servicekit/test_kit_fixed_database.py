"""An application whose code names its SQLite file, and where its data really goes."""

import os
import subprocess
import sys
from pathlib import Path

from two_services import Service

SERVICE = Path(__file__).parents[2] / "templates" / "service"

APPLICATION = """
import sys
sys.path.insert(0, sys.argv[1])
from servicekit import fixed_database
fixed_database.install_from_environment()
import sqlite3
from sqlalchemy import create_engine, text
for url in ("sqlite:///shop.db", "sqlite:////nowhere/at/all/shop.db", "sqlite:///other.db"):
    with create_engine(url).begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS seen (url)"))
        connection.execute(text("INSERT INTO seen VALUES (:url)"), {"url": url})
with sqlite3.connect("file:shop.db?mode=ro", uri=True) as connection:
    print(connection.execute("SELECT count(*) FROM seen").fetchone()[0])
"""


CALLS = """
from servicekit import fixed_database, transaction
from servicekit.settings import settings
fixed_database.install("shop.db", "sqlite:///" + settings().file("service.db"))
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
try:
    transaction.take_over(Session(create_engine("sqlite:///other.db")))
except RuntimeError as error:
    print(error)
transaction.take_over(Session(create_engine("sqlite:////nowhere/at/all/shop.db")))
transaction.begin("key", 1)
transaction.finish()
print("taken over")
"""


def run(
    folder: Path, application: str = APPLICATION, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", application, str(SERVICE)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_its_file_is_the_instance_s_own_and_others_stay(tmp_path: Path) -> None:
    own = tmp_path / "instance" / "service.db"
    own.parent.mkdir()
    url = f"sqlite:///{own}"
    done = run(tmp_path, FIXED_DATABASE="shop.db", DATABASE_URL=url)
    assert done.stdout.split() == ["2"], done.stderr
    assert own.exists()
    assert (tmp_path / "other.db").exists()
    assert not (tmp_path / "shop.db").exists()


def test_code_that_asks_whether_its_file_is_there_finds_one(tmp_path: Path) -> None:
    code, data = tmp_path / "code", tmp_path / "data"
    code.mkdir()
    data.mkdir()
    url = f"sqlite:///{tmp_path}/service.db"
    variables = {"FIXED_DATABASE": "shop.db", "DATABASE_URL": url}
    application = APPLICATION.replace("/nowhere/at/all", str(data))
    done = run(code, application, **variables)
    assert done.stdout.split() == ["2"], done.stderr
    assert (data / "shop.db").read_bytes() == b""
    assert not (code / "shop.db").exists()


def test_nothing_is_led_elsewhere_unasked(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert "unable to open database file" in done.stderr  # /nowhere/at/all
    assert (tmp_path / "shop.db").exists()


def test_calls_are_served_on_the_file_that_is_opened(service: Service) -> None:
    done = service.run("-c", CALLS)
    refused = "the application's session is not bound to this service's database"
    assert done.stdout.splitlines() == [refused, "taken over"], done.stderr
