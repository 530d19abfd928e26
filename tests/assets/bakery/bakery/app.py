import os

from flask import Flask

from bakery.cakes import cakes
from bakery.extensions import db
from bakery.regulars import regulars

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"]
app.config["SHOP_SIGN"] = os.environ.get("SHOP_SIGN", "")
db.init_app(app)
app.register_blueprint(regulars)
app.register_blueprint(cakes)


@app.cli.command("init")
def init():
    db.create_all()
