import os
import threading
from importlib import import_module

from flask import Flask

from . import trees
from .extensions import db
from .filters import *
from .shop import views as shop_views
from .office import blueprint as office

SECTIONS = ("pests", "weather")


def create_app(settings="orchard.settings.Development"):
    app = Flask(__name__)
    app.config.from_object(os.environ.get("ORCHARD_SETTINGS", settings))
    db.init_app(app)
    app.register_blueprint(trees.views.blueprint)
    app.register_blueprint(shop_views.shop, url_prefix="/shop")
    app.register_blueprint(office)
    app.add_template_filter(weight)
    for section in SECTIONS:
        import_module(f"orchard.sections.{section}").register(app)

    # Somebody asks for it every minute.
    @app.route("/alive")
    def alive():
        return {"alive": True}

    from .shop.prices import refresh

    threading.Thread(target=refresh, args=(app,), daemon=True).start()
    return app
