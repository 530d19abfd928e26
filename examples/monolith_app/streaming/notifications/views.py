from flask import Blueprint, flash, g, redirect, render_template, url_for

from streaming.database import db
from streaming.helpers import login_required
from streaming.notifications import services

blueprint = Blueprint("notifications", __name__, url_prefix="/notifications")


@blueprint.get("")
@login_required
def inbox():
    notifications = db.session.scalars(services.notifications_of(g.member).limit(50)).all()
    return render_template("notifications/inbox.html", notifications=notifications)


@blueprint.post("/read")
@login_required
def read_all():
    marked = services.mark_all_read(g.member)
    flash(f"{marked} marked as read.", "success")
    return redirect(url_for("notifications.inbox"))
