"""People who come often."""

from flask import Blueprint, jsonify, request, url_for

from bakery.extensions import db
from bakery.models import Regular

regulars = Blueprint("regulars", __name__, url_prefix="/regulars")


class TooManyStamps(Exception):
    pass


def stamp(regular, count):
    """One stamp a cake; the card has room for ten."""
    if regular.stamps + count > 10:
        raise TooManyStamps(regular.name)
    regular.stamps += count
    db.session.commit()
    return regular


@regulars.route("/", methods=["POST"])
def add():
    regular = Regular(name=request.form["name"], stamps=0)
    db.session.add(regular)
    db.session.commit()
    return jsonify(id=regular.id, cakes=url_for("cakes.listed", regular=regular.id)), 201


@regulars.route("/<int:id>")
def show(id):
    regular = db.get_or_404(Regular, id)
    return jsonify(name=regular.name, stamps=regular.stamps)
