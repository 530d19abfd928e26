from flask import Blueprint, g, redirect, url_for

from orchard import db
from orchard.shop import prices
from orchard.shop.models import Customer, Order
import orchard.trees.views

shop = Blueprint("shop", __name__)
HANDLERS = {}


def handles(kind):
    def register(function):
        HANDLERS[kind] = function
        return function

    return register


@shop.before_app_request
def choose_customer():
    g.customer = None


@shop.before_request
def only_when_open():
    return None


@shop.app_errorhandler(404)
def lost(error):
    return redirect(url_for("shop.front")), 404


@shop.route("/")
def front():
    return str(prices.price_of("apple"))


@shop.route("/orders/<int:id>/pay", methods=["POST"])
def pay(id):
    order = db.session.get(Order, id)
    HANDLERS["payment"](order)
    return str(orchard.trees.views.total(order.trees[0]))


@handles("payment")
def settle(order):
    order.paid = True
    db.session.commit()


@shop.route("/customers")
def customers():
    return str(Customer.query.count())
