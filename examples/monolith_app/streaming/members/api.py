from flask import Blueprint, abort, g, session
from flask.views import MethodView

from streaming.database import db
from streaming.helpers import iso, json_body, login_required, staff_required
from streaming.members import services
from streaming.members.models import Member
from streaming.members.views import own_profile, start_session

blueprint = Blueprint("members_api", __name__, url_prefix="/api")

PREFERENCES = {"language": str, "subtitles": bool, "autoplay": bool}


@blueprint.post("/members")
def register():
    body = json_body("email", "name", "password")
    member = services.register(str(body["email"]), str(body["name"]), str(body["password"]))
    start_session(member)
    return member.as_dict(), 201


@blueprint.post("/session")
def sign_in():
    body = json_body("email", "password")
    member = services.sign_in(str(body["email"]), str(body["password"]))
    start_session(member)
    return member.as_dict(), 201


@blueprint.delete("/session")
def sign_out():
    session.clear()
    return "", 204


@blueprint.get("/members/me")
@login_required
def me():
    return g.member.as_dict() | {"profile_id": g.profile.id if g.profile else None}


@blueprint.patch("/members/me")
@login_required
def change_me():
    services.rename(g.member, str(json_body("name")["name"]))
    return g.member.as_dict()


@blueprint.get("/members/<int:member_id>/activity")
@staff_required
def activity(member_id: int):
    member = db.get_or_404(Member, member_id)
    return {
        "last_seen_at": iso(member.last_seen_at),
        "streams": [slot.as_dict() for slot in member.stream_slots],
    }


@blueprint.post("/members/<int:member_id>/unlock")
@staff_required
def unlock(member_id: int):
    services.unlock(db.get_or_404(Member, member_id))
    return "", 204


@blueprint.get("/profiles")
@login_required
def profiles():
    return {"items": [profile.as_dict() for profile in g.member.profiles]}


@blueprint.post("/profiles")
@login_required
def add_profile():
    body = json_body("name")
    profile = services.add_profile(g.member, str(body["name"]), bool(body.get("is_child")))
    return profile.as_dict(), 201


@blueprint.get("/streams")
@login_required
def streams():
    return {"items": [slot.as_dict() for slot in g.member.stream_slots]}


class ProfileView(MethodView):
    decorators = (login_required,)

    def get(self, profile_id: int):
        return own_profile(profile_id).as_dict()

    def patch(self, profile_id: int):
        profile = own_profile(profile_id)
        profile.name = str(json_body("name")["name"])
        profile.save()
        return profile.as_dict()

    def put(self, profile_id: int):
        """Set preferences."""
        profile = own_profile(profile_id)
        body = json_body()
        for name, value in body.items():
            if name not in PREFERENCES or not isinstance(value, PREFERENCES[name]):
                abort(400, f"{name} cannot be set to that.")
        services.set_preferences(profile, **body)
        return profile.as_dict()

    def delete(self, profile_id: int):
        services.remove_profile(own_profile(profile_id))
        return "", 204


blueprint.add_url_rule("/profiles/<int:profile_id>", view_func=ProfileView.as_view("profile"))
