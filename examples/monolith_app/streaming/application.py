"""The application factory."""

from flask import Flask, g

from streaming import cli, errors, helpers
from streaming.billing.api import blueprint as billing_api
from streaming.billing.views import blueprint as billing
from streaming.catalogue.api import blueprint as catalogue_api
from streaming.catalogue.views import blueprint as catalogue
from streaming.config import Config
from streaming.database import db
from streaming.encoding.api import blueprint as encoding_api
from streaming.encoding.views import blueprint as encoding
from streaming.media.api import blueprint as media_api
from streaming.media.views import blueprint as media
from streaming.members.api import blueprint as members_api
from streaming.members.views import blueprint as members
from streaming.notifications import receivers  # noqa: F401
from streaming.notifications import services as notifications_services
from streaming.notifications.api import blueprint as notifications_api
from streaming.notifications.views import blueprint as notifications
from streaming.playback.api import blueprint as playback_api
from streaming.playback.views import blueprint as playback
from streaming.recommendations.api import blueprint as recommendations_api
from streaming.recommendations.views import blueprint as recommendations
from streaming.reports.api import blueprint as reports_api
from streaming.reports.views import blueprint as reports
from streaming.support.api import blueprint as support_api
from streaming.support.views import blueprint as support

BLUEPRINTS = (
    members,
    catalogue,
    media,
    encoding,
    playback,
    recommendations,
    billing,
    support,
    notifications,
    reports,
    members_api,
    catalogue_api,
    media_api,
    encoding_api,
    playback_api,
    recommendations_api,
    billing_api,
    support_api,
    notifications_api,
    reports_api,
)


def create_app(config: object = Config) -> Flask:
    app = Flask(__name__)
    app.config.from_object(config)
    app.json.sort_keys = False
    db.init_app(app)
    errors.init_app(app)
    cli.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.before_request(helpers.check_csrf)
    app.context_processor(page_context)
    app.add_template_filter(helpers.money, "money")
    app.add_template_filter(helpers.duration, "duration")
    app.add_template_filter(helpers.iso, "iso")

    @app.get("/healthz")
    def healthz():
        return {"status": "ok"}

    return app


def page_context() -> dict:
    """What the base template needs on every page."""
    member = g.get("member")
    return {
        "member": member,
        "profile": g.get("profile"),
        "csrf_token": helpers.csrf_token,
        "unread": notifications_services.unread_count(member) if member else 0,
    }
