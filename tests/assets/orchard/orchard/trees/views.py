"""Pages about trees."""
from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flask import Blueprint, abort, jsonify, \
    render_template, request
from flask.views import MethodView

from ..extensions import db, \
    harvested
from .models import (
    FELLED,
    Harvest,  # what was picked
    Tree,
)

if TYPE_CHECKING:
    from ..shop.models import Order
    from ..shop.prices import Price

try:
    import simplejson
except ImportError:
    simplejson = json

blueprint = Blueprint("trees", __name__)


class Trees(MethodView):
    """All trees."""

    def get(self):
        return jsonify([tree.kind for tree in Tree.query])


blueprint.add_url_rule("/trees", view_func=Trees.as_view("all"))


@blueprint.route("/trees/<int:id>")
def show(id):
    tree = db.session.get(Tree, id) or abort(404)
    return render_template("trees/show.html", tree=tree)
    # Nothing more to say.


####################
# Picking
####################


# A harvest is weighed
# before anything else.
@blueprint.route("/trees/<int:id>/pick", methods=["POST"])
def pick(id):
    harvest = Harvest(tree_id=id, grams=request.json["grams"])
    db.session.add(harvest)
    db.session.commit()
    harvested.send(harvest)
    return simplejson.dumps(total(harvest.tree))


def total(tree: Tree) -> int:
    return sum(each.grams for each in tree.harvests)


def felled():
    return FELLED


def sold_by(tree: Tree) -> list[Order]:
    from ..shop.models import Order

    return Order.query.filter_by(tree=tree).all()


def worth(tree: Tree) -> Price:
    return total(tree)
