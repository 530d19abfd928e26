from flask import Blueprint

from streaming.catalogue.models import Title
from streaming.database import db
from streaming.helpers import json_body, login_required
from streaming.members.views import own_profile
from streaming.recommendations import services

blueprint = Blueprint("recommendations_api", __name__, url_prefix="/api")


@blueprint.get("/profiles/<int:profile_id>/recommendations")
@login_required
def recommendations(profile_id: int):
    titles = services.recommend(own_profile(profile_id))
    return {"items": [title.as_dict() for title in titles]}


@blueprint.get("/profiles/<int:profile_id>/interests")
@login_required
def interests(profile_id: int):
    found = services.interests(own_profile(profile_id))
    return {"items": [interest.as_dict() for interest in found]}


@blueprint.put("/profiles/<int:profile_id>/ratings/<int:title_id>")
@login_required
def rate(profile_id: int, title_id: int):
    title = db.get_or_404(Title, title_id)
    rating = services.rate(own_profile(profile_id), title, json_body("stars")["stars"])
    return {"stars": rating.stars, "average": services.average_rating(title)}


@blueprint.get("/titles/<int:title_id>/rating")
def rating(title_id: int):
    return {"average": services.average_rating(db.get_or_404(Title, title_id))}


@blueprint.get("/popular")
def popular():
    found = services.popular()
    return {"items": [{"title": title.slug, "views": views} for title, views in found]}
