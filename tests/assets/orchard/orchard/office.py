from flask import Blueprint, render_template

from .trees.views import felled, show

blueprint = Blueprint("office", __name__)


@blueprint.route("/office")
def desk():
    return render_template("office/desk.html", felled=felled())


@blueprint.route("/office/<int:id>")
def one(id):
    return show(id)
