from flask import Blueprint

from kiosk.models import Ledger, Paper, db

desk = Blueprint("desk", __name__, url_prefix="/desk/")


@desk.before_request
def only_staff():
    return None


@desk.route("ledger", endpoint="book")
def ledger():
    return {"lines": [line.line for line in Ledger.query.all()]}


@desk.post("/options/<int:paper_id>")
def options(paper_id):
    paper = db.session.get(Paper, paper_id)
    paper.options["glossy"] = True
    db.session.flush()
    return "", 204
