import click
from flask import Flask, g

from kiosk.desk import desk
from kiosk.models import Reader, db
from kiosk.shop import shop


def count_visit():
    g.reader = db.session.get(Reader, 1)
    if g.reader is not None:
        g.reader.visits += 1
        db.session.commit()


def create_app():
    app = Flask("kiosk", static_url_path="/files")
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
    db.init_app(app)
    app.before_request(count_visit)
    app.register_blueprint(shop, url_prefix="/shop")
    app.register_blueprint(desk)

    @app.route("/", defaults={"page": 1})
    @app.route("/page/<int:page>")
    def front(page):
        return str(page)

    @app.cli.command("restock")
    @click.argument("name")
    def restock(name):
        from kiosk.shop import deliver

        deliver(name, 10)

    app.add_url_rule("/about", "about", lambda: "a kiosk", methods=["GET", "OPTIONS"])
    return app
