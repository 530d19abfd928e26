"""The desk: every page and every JSON answer."""
import os

from flask import Flask, flash, g, jsonify, redirect, render_template, request, session, url_for

from toolshed import loans, people
from toolshed.storage import Session
from workshop import shelf
from workshop.bench import bench

app = Flask(__name__)
app.secret_key = os.environ.get("TOOLSHED_SECRET", "change me")
app.register_blueprint(bench, url_prefix="/tools")


@app.before_request
def greet():
    g.borrower = None
    if "borrower" in session:
        people.seen(session["borrower"])
        g.borrower = Session.get(people.Borrower, session["borrower"])


@app.teardown_appcontext
def put_session_away(error=None):
    Session.remove()


@app.errorhandler(people.Refusal)
def refuse(refusal):
    return jsonify(error=refusal.reason, kind=type(refusal).__name__), refusal.status


def signed_in():
    if g.borrower is None:
        raise people.Refusal("show your card first", status=401)
    return g.borrower


def found(model, key):
    thing = Session.get(model, key)
    if thing is None:
        raise people.Refusal(f"no {model.__tablename__} {key}", status=404)
    return thing


@app.get("/")
def counter():
    mine = loans.Loan.query.filter_by(borrower_id=g.borrower.id).all() if g.borrower else []
    return render_template("counter.html", kinds=shelf.kinds(), mine=mine)


@app.route("/card", methods=["GET", "POST"])
def show_card():
    if request.method == "GET":
        return render_template("card.html")
    borrower = people.recognise(request.form["card"], request.form["pin"])
    session["borrower"] = borrower.id
    people.note(borrower.id, "came in")
    flash(f"Hello {borrower.name}")
    return redirect(url_for("counter"))


@app.post("/leave")
def leave():
    session.clear()
    return redirect(url_for("counter"))


@app.post("/borrowers")
def enrol():
    form = request.get_json()
    borrower = people.enrol(form["card"], form["name"], form["pin"])
    return jsonify(card=borrower.card, name=borrower.name), 201


@app.get("/borrowers/<card>")
def borrower(card):
    one = people.Borrower.query.filter_by(card=card).first()
    if one is None:
        raise people.Refusal(f"no card {card}", status=404)
    return jsonify(card=one.card, name=one.name, barred=one.barred, seen=one.last_seen is not None)


@app.post("/borrowers/<card>/bar")
def bar(card):
    return jsonify(card=people.bar(card).card, barred=True)


@app.get("/journal/<card>")
def journal(card):
    lines = (Session.query(people.Journal.what)
             .join(people.Borrower, people.Borrower.id == people.Journal.borrower_id)
             .filter(people.Borrower.card == card, people.Journal.what == "came in"))
    return jsonify([what for (what,) in lines])


@app.route("/loans", methods=["GET", "POST"])
def my_loans():
    me = signed_in()
    if request.method == "POST":
        return jsonify(loans.describe(loans.borrow(me, request.get_json()["tool"]))), 201
    mine = loans.Loan.query.filter_by(borrower_id=me.id).order_by(loans.Loan.id)
    return jsonify([loans.describe(each) for each in mine])


@app.post("/loans/<int:key>/back")
def back(key):
    signed_in()
    loan = found(loans.Loan, key)
    loans.bring_back(loan, broken=bool(request.args.get("broken")))
    return jsonify(loans.describe(loan))


@app.post("/fees/<int:key>/pay")
def pay(key):
    fee = found(loans.Fee, key)
    loans.pay(fee)
    return jsonify(id=fee.id, paid=fee.paid)


@app.get("/round")
def caretakers_round():
    return jsonify(loans.out_now())
