"""Pictures of people: a row and a file each."""

from flask import Blueprint, abort, jsonify, request
from sqlalchemy import Column, ForeignKey, Integer, String

from gallery.store import BADGES, ROOT, Base, Session

pictures = Blueprint("pictures", __name__)
UPLOADS = ROOT / "files" / "uploads"


class Picture(Base):
    __tablename__ = "picture"
    id = Column(Integer, primary_key=True)
    name = Column(String(40), nullable=False)
    person_id = Column(ForeignKey("person.id"), nullable=False)


@pictures.post("/pictures")
def upload():
    given = request.json
    picture = Picture(name=given["name"], person_id=given["person"])
    session = Session()
    session.add(picture)
    session.commit()
    (UPLOADS / picture.name).write_text(given["content"])
    return jsonify(id=picture.id), 201


@pictures.get("/pictures/<int:number>")
def show(number):
    """The picture, signed with the badge of who is on it."""
    picture = Session().get(Picture, number) or abort(404)
    content = (UPLOADS / picture.name).read_text()
    badge = (BADGES / f"{picture.person_id}.txt").read_text()
    return jsonify(content=content, badge=badge)


@pictures.delete("/pictures/<int:number>")
def remove(number):
    session = Session()
    picture = session.get(Picture, number) or abort(404)
    (UPLOADS / picture.name).unlink()
    session.delete(picture)
    session.commit()
    return "", 204
