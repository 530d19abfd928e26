from flask import Blueprint, abort, g

from streaming.database import db
from streaming.helpers import login_required, paginate
from streaming.notifications import services
from streaming.notifications.models import Mail, Notification

blueprint = Blueprint("notifications_api", __name__, url_prefix="/api")


@blueprint.get("/notifications")
@login_required
def notifications():
    answer = paginate(services.notifications_of(g.member), Notification.as_dict)
    return answer | {"unread": services.unread_count(g.member)}


@blueprint.post("/notifications/<int:notification_id>/read")
@login_required
def mark_read(notification_id: int):
    notification = db.get_or_404(Notification, notification_id)
    if notification.member_id != g.member.id:
        abort(404)
    return services.mark_read(notification).as_dict()


@blueprint.get("/mails")
@login_required
def mails():
    return paginate(services.mails_of(g.member), Mail.as_dict)
