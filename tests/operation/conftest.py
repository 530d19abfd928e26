"""A monolith of one file and, made by hand, the two services that it would become."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import uv

from migrator.operation.environment import uv_variables

REPOSITORY = Path(__file__).parents[2]

APPLICATION = """
import os

from flask import Flask, jsonify, request
from sqlalchemy import ForeignKey, create_engine, inspect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, scoped_session, sessionmaker

engine = create_engine(os.environ["NOTES_DATABASE"])
Session = scoped_session(sessionmaker(engine))
app = Flask(__name__)


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Note(Base):
    __tablename__ = "note"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"))
    text: Mapped[str]


def add(thing):
    Session.add(thing)
    Session.commit()
    return jsonify(id=thing.id), 201


@app.post("/authors")
def new_author():
    return add(Author(name=request.json["name"]))


@app.post("/notes")
def new_note():
    return add(Note(author_id=request.json["author"], text=request.json["text"]))


@app.get("/notes")
def notes():
    found = Session.query(Note.text, Author.name).join(Author, Author.id == Note.author_id)
    return jsonify([[text, name] for text, name in found.order_by(Note.id)])


@app.get("/paper")
def paper():
    with open(os.environ["PAPER"]) as file:
        return file.read()


@app.teardown_appcontext
def close(error=None):
    Session.remove()


def fill():
    Session.add(Note(author_id=1, text="first"))
    Session.commit()
    with open(os.environ["PAPER"], "w") as file:
        file.write("blank")


def started():
    if inspect(engine).get_table_names() and Session.query(Author).first() is None:
        Session.add(Author(name="Ada"))
        Session.commit()
    Session.remove()
    return app
"""

TESTS = """
import os
import requests

BASE = os.environ["BASE_URL"]


def test_author_and_note():
    author = requests.post(BASE + "/authors", json={"name": "Bo"}).json()["id"]
    assert requests.post(BASE + "/notes", json={"author": author, "text": "x"}).status_code == 201
    assert ["x", "Bo"] in requests.get(BASE + "/notes").json()


def test_paper():
    assert requests.get(BASE + "/paper").text == "blank"
"""

SETTINGS = """
[tool.migrator.run]
application = "pages:started()"
install = ["-r requirements.txt"]
database = "NOTES_DATABASE"
migrate = "python -c 'import pages; pages.Base.metadata.create_all(pages.engine)'"
seed = "python -c 'import pages; pages.fill()'"
test = "python -m pytest -q test_pages.py"

[tool.migrator.run.environment]
PAPER = "{data}/paper.txt"
"""

REQUIREMENTS = (
    "flask==3.1.0\nsqlalchemy==2.0.36\ngunicorn==23.0.0\npytest==8.3.4\nrequests==2.32.3\n"
)

GATEWAY = """
${GATEWAY_USER}
pid ${GATEWAY_FOLDER}/nginx.pid;
error_log ${GATEWAY_ERROR_LOG};
events { worker_connections 128; }
http {
    access_log off;
    client_body_temp_path ${GATEWAY_FOLDER}/client_body;
    proxy_temp_path ${GATEWAY_FOLDER}/proxy;
    fastcgi_temp_path ${GATEWAY_FOLDER}/fastcgi;
    uwsgi_temp_path ${GATEWAY_FOLDER}/uwsgi;
    scgi_temp_path ${GATEWAY_FOLDER}/scgi;
    upstream authors { ${SERVERS_AUTHORS} }
    upstream notes { ${SERVERS_NOTES} }
    server {
        listen ${GATEWAY_LISTEN};
        error_page 502 504 =503 @unavailable;
        location = /_service/gateway { return 204; }
        location /authors { proxy_pass http://authors; }
        location / { proxy_pass http://notes; }
        location @unavailable { return 503 "unavailable"; }
    }
}
"""

AUTHOR = "CREATE TABLE author (id INTEGER NOT NULL, name VARCHAR NOT NULL, PRIMARY KEY (id));\n"
NOTE = (
    "CREATE TABLE note (id INTEGER NOT NULL, author_id INTEGER NOT NULL, text VARCHAR NOT NULL,"
    " PRIMARY KEY (id));\n"
)


@pytest.fixture(scope="session")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The monolith's root; its environment is kept between the tests."""
    root = tmp_path_factory.mktemp("notes")
    for name, text in {
        "pages.py": APPLICATION,
        "test_pages.py": TESTS,
        "pyproject.toml": SETTINGS,
        "requirements.txt": REQUIREMENTS,
    }.items():
        (root / name).write_text(text)
    return root


@pytest.fixture(scope="session")
def notes_services(notes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the two services."""
    output = tmp_path_factory.mktemp("services")
    wanted = (REPOSITORY / "templates/service/servicekit-requirements.txt").read_text()
    pinned = subprocess.run(
        [uv.find_uv_bin(), "pip", "compile", "--quiet", "--generate-hashes", "-"],
        input=f"{wanted}\n{REQUIREMENTS}",
        capture_output=True,
        text=True,
        check=True,
        env=uv_variables(os.environ),
    ).stdout
    manifests = {
        "authors": {
            "tables": {"author": {"key": ["id"], "published": True}},
            "routes": {"new_author": {"entry_point": "route:new_author", "rules": []}},
        },
        "notes": {
            "tables": {"note": {"key": ["id"]}},
            "replicas": {"author": {"owner": "authors", "key": ["id"]}},
            "routes": {
                name: {"entry_point": f"route:{name}", "rules": [], "replicas_of": ["authors"]}
                for name in ("new_note", "notes", "paper")
            },
            "environment": {"PAPER": "{data}/paper.txt"},
            "processes": {"clerk": "python -m clerk"},
        },
    }
    for name, manifest in manifests.items():
        folder = output / name
        (folder / "migrations").mkdir(parents=True)
        shutil.copytree(REPOSITORY / "templates/service/servicekit", folder / "src/servicekit")
        (folder / "src/pages.py").write_text(APPLICATION)
        (folder / "src/clerk.py").write_text("import time\nwhile True:\n    time.sleep(1)\n")
        (folder / "requirements.txt").write_text(pinned)
        stated = {"application": "pages:started()", "database_variable": "NOTES_DATABASE"}
        (folder / "service.json").write_text(json.dumps({"name": name, **stated, **manifest}))
        (folder / "migrations/0001_schema.sql").write_text(AUTHOR if name == "authors" else NOTE)
        (folder / "migrations/replicas.sql").write_text(AUTHOR if name == "notes" else "")
    (output / "gateway").mkdir()
    (output / "gateway/nginx.conf.template").write_text(GATEWAY)
    system = {
        "services": sorted(manifests),
        "default_service": "notes",
        "plan_digest": "",
        "program_digest": "",
        "monolith": str(notes),
    }
    (output / "system.json").write_text(json.dumps(system))
    return output
