from blinker import signal
from flask import Blueprint, g, render_template, request
from flask.views import MethodView
from sqlalchemy import select, text, update

from kiosk.guards import signed_in, subscribers_only
from kiosk.models import Label, Paper, Reader, SoldCopy, db

shop = Blueprint("shop", __name__, static_folder="static")
corner = Blueprint("corner", __name__, url_prefix="/corner")
sold_out = signal("sold-out")


@shop.get("/papers")
def papers():
    found = db.session.scalars(select(Paper)).all()
    return render_template("papers.html", papers=found)


@shop.post("/papers/<int:paper_id>/buy")
@signed_in
def buy(paper_id):
    paper = db.get_or_404(Paper, paper_id)
    paper.copies.append(SoldCopy(reader=g.reader))
    paper.stock -= 1
    if paper.stock == 0:
        sold_out.send(paper)
    db.session.commit()
    return "", 204


@shop.route("/papers/<int:paper_id>/labels", methods=["POST", "DELETE"])
@subscribers_only
def label(paper_id):
    paper = db.session.get(Paper, paper_id)
    if request.method == "POST":
        Label(text="new").save()
        return "", 201
    for each in paper.labels:
        paper.labels.remove(each)
    db.session.commit()
    return "", 204


def deliver(name, copies):
    paper = Paper.query.filter_by(name=name).first() or Paper(name=name)
    paper.stock += copies
    return paper.save()


class PaperView(MethodView):
    decorators = [signed_in]

    def get(self, paper_id):
        return Paper.query.get_or_404(paper_id).name

    def delete(self, paper_id):
        db.session.delete(Paper.query.get(paper_id))
        db.session.commit()
        return "", 204


shop.add_url_rule("/papers/<int:paper_id>", view_func=PaperView.as_view("paper"))


@corner.route("")
def corner_index():
    return {"sold": [copy.paper.name for copy in g.reader.copies.all()]}


@corner.put("/sale")
def sale():
    db.session.execute(update(Paper).values(stock=0))
    db.session.execute(text("DELETE FROM label WHERE text = :text"), {"text": "old"})
    db.session.commit()
    return "", 204


@corner.put("/either")
def either():
    if request.args.get("first"):
        db.session.get(Paper, 1).name = "x"
        db.session.commit()
        return "", 204
    for name, value in request.args.items():
        setattr(db.session.get(Reader, 1), name, value)
    db.session.commit()
    return "", 204


shop.register_blueprint(corner)


@sold_out.connect
def reorder(paper):
    db.session.add(Label(text=f"reorder {paper.name}"))
