import os

from flask import Blueprint, jsonify, request

from shop.models import Member, Profile, db

blueprint = Blueprint("accounts", __name__)


def shown(member):
    return {
        "id": member.id,
        "email": member.email,
        "balance": member.balance,
        "visits": member.visits,
        "last_seen": str(member.last_seen),
        "pid": os.getpid(),
    }


@blueprint.route("/members", methods=["POST"])
def create():
    member = Member(email=request.get_json()["email"])
    db.session.add(member)
    db.session.commit()
    return jsonify(shown(member)), 201


@blueprint.route("/members/<int:number>", methods=["GET"])
def show(number):
    return jsonify(shown(Member.query.get(number)))


@blueprint.route("/members/<int:number>", methods=["PUT"])
def change(number):
    member = Member.query.get(number)
    member.email = request.get_json()["email"]
    db.session.commit()
    return jsonify(shown(member))


@blueprint.route("/members/<int:number>/profile")
def profile(number):
    found = Profile.query.get(number)
    return jsonify(bio=found and found.bio, edits=found and found.edits)


@blueprint.route("/members/<int:number>/orders")
def orders(number):
    return jsonify([order.id for order in Member.query.get(number).orders])
