"""What was baked, and for whom."""

from flask import Blueprint, jsonify, request

from bakery.extensions import db
from bakery.models import Cake, Regular
from bakery.regulars import TooManyStamps, stamp

cakes = Blueprint("cakes", __name__, url_prefix="/cakes")


@cakes.route("/", methods=["POST"])
def bake():
    regular = db.get_or_404(Regular, int(request.form["regular"]))
    try:
        stamp(regular, 1)
    except TooManyStamps:
        return jsonify(error="the card is full"), 409
    cake = Cake(regular_id=regular.id, icing=request.form["icing"])
    db.session.add(cake)
    db.session.commit()
    return jsonify(id=cake.id), 201


@cakes.route("/of/<int:regular>")
def listed(regular):
    found = Cake.query.filter_by(regular_id=regular).order_by(Cake.id)
    return jsonify([{"id": cake.id, "for": cake.regular.name} for cake in found])
