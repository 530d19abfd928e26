import datetime
import os
import threading

from flask import Flask, g, jsonify, request

from shop.models import Member, db


def create_app():
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"]
    app.config["SQLALCHEMY_TRACK_MODIFICATIONS"] = False
    app.config["SECRET_KEY"] = "the same everywhere"
    db.init_app(app)
    from shop import accounts, orders, ticker

    app.register_blueprint(accounts.blueprint)
    app.register_blueprint(orders.blueprint)

    @app.before_request
    def last_seen():
        g.tenant = request.headers.get("X-Tenant", "none")
        number = request.headers.get("X-Member")
        if number:
            member = Member.query.get(int(number))
            if member is not None:
                member.last_seen = datetime.datetime(2020, 1, 2, 3, 4, 5)
                db.session.commit()

    @app.errorhandler(404)
    def missing(error):
        return jsonify(error="missing"), 404

    with app.app_context():
        db.create_all()
    threading.Thread(target=ticker.loop, daemon=True).start()
    return app
