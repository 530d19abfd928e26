"""Everybody has a badge, drawn when they join."""

from flask import Blueprint, abort, jsonify, request, send_from_directory
from sqlalchemy import Column, Integer, String

from gallery.store import BADGES, Base, Session

people = Blueprint("people", __name__)


class Person(Base):
    __tablename__ = "person"
    id = Column(Integer, primary_key=True)
    name = Column(String(40), nullable=False)


def draw(person):
    """The badge as a file."""
    BADGES.mkdir(parents=True, exist_ok=True)
    (BADGES / f"{person.id}.txt").write_text(f"[{person.name}]")


def join(session, name):
    person = Person(name=name)
    session.add(person)
    session.commit()
    draw(person)
    return person


@people.post("/people")
def add():
    person = join(Session(), request.json["name"])
    return jsonify(id=person.id, name=person.name), 201


@people.post("/people/<int:number>")
def rename(number):
    session = Session()
    person = session.get(Person, number) or abort(404)
    person.name = request.json["name"]
    session.commit()
    draw(person)
    return jsonify(id=person.id, name=person.name)


@people.get("/badges/<path:name>")
def badge(name):
    return send_from_directory(BADGES, name)
