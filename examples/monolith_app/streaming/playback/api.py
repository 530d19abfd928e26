from flask import Blueprint, abort, g, url_for

from streaming.catalogue.models import Title
from streaming.database import db
from streaming.helpers import json_body, json_error, login_required, paginate, whole_number
from streaming.media import services as media
from streaming.members.services import TooManyStreams
from streaming.members.views import own_profile
from streaming.playback import services
from streaming.playback.models import Viewing
from streaming.recommendations import services as recommendations

blueprint = Blueprint("playback_api", __name__, url_prefix="/api")


def own_viewing(viewing_id: int) -> Viewing:
    viewing = db.get_or_404(Viewing, viewing_id)
    if viewing.profile.member_id != g.member.id:
        abort(404)
    return viewing


@blueprint.post("/playback")
@login_required
def start():
    body = json_body("profile_id", "title_id", "device")
    profile = own_profile(whole_number(body["profile_id"], "profile_id"))
    title = db.get_or_404(Title, whole_number(body["title_id"], "title_id"))
    try:
        viewing = services.start(profile, title, str(body["device"]))
    except TooManyStreams as error:
        return json_error(409, str(error), limit=error.limit, active=error.active)
    rendition = media.best_rendition(title)
    source = url_for("media_api.decoded", rendition_id=rendition.id) if rendition else None
    return viewing.as_dict() | {"source": source}, 201


@blueprint.post("/playback/<int:viewing_id>/progress")
@login_required
def progress(viewing_id: int):
    position_s = whole_number(json_body("position_s")["position_s"], "position_s")
    viewing = services.progress(own_viewing(viewing_id), position_s)
    answer = viewing.as_dict()
    if viewing.title.main_genre is not None:
        recommendations.bump_interest(viewing.profile, viewing.title.main_genre)
    return answer


@blueprint.post("/playback/<int:viewing_id>/stop")
@login_required
def stop(viewing_id: int):
    viewing = own_viewing(viewing_id)
    active = services.stop(viewing)
    return viewing.as_dict() | {"active_streams": active}


@blueprint.get("/profiles/<int:profile_id>/history")
@login_required
def history(profile_id: int):
    return paginate(services.history(own_profile(profile_id)), Viewing.as_dict)


@blueprint.get("/profiles/<int:profile_id>/watchlist")
@login_required
def watchlist(profile_id: int):
    items = services.watchlist(own_profile(profile_id))
    return {"items": [item.as_dict() for item in items]}


@blueprint.put("/profiles/<int:profile_id>/watchlist/<int:title_id>")
@login_required
def remember(profile_id: int, title_id: int):
    added = services.remember(own_profile(profile_id), db.get_or_404(Title, title_id))
    return {"added": added}, 201 if added else 200


@blueprint.delete("/profiles/<int:profile_id>/watchlist/<int:title_id>")
@login_required
def forget(profile_id: int, title_id: int):
    if not services.forget(own_profile(profile_id), db.get_or_404(Title, title_id)):
        abort(404, "This title is not on the list.")
    return "", 204
