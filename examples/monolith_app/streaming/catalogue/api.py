from flask import Blueprint, g, request
from sqlalchemy import select

from streaming.catalogue import services
from streaming.catalogue.models import Genre, Title, TitleFollow
from streaming.database import db
from streaming.helpers import json_body, login_required, paginate, staff_required, whole_number

blueprint = Blueprint("catalogue_api", __name__, url_prefix="/api")


@blueprint.get("/titles")
def titles():
    query = services.listing(request.args.get("genre", ""), request.args.get("q", ""))
    return paginate(query, Title.as_dict)


@blueprint.get("/titles/<int:title_id>")
def title(title_id: int):
    return db.get_or_404(Title, title_id).as_dict()


@blueprint.post("/titles")
@staff_required
def add_title():
    body = json_body("name", "year", "runtime_s", "genres")
    title = services.add_title(
        body["name"],
        whole_number(body["year"], "year", 1888),
        whole_number(body["runtime_s"], "runtime_s", 1),
        body["genres"],
        synopsis=body.get("synopsis", ""),
        min_age=whole_number(body.get("min_age", 0), "min_age"),
    )
    return title.as_dict(), 201


@blueprint.patch("/titles/<int:title_id>")
@staff_required
def change_title(title_id: int):
    return services.change_title(db.get_or_404(Title, title_id), json_body()).as_dict()


@blueprint.delete("/titles/<int:title_id>")
@staff_required
def delete_title(title_id: int):
    services.delete_title(db.get_or_404(Title, title_id))
    return "", 204


@blueprint.post("/titles/<int:title_id>/release")
@staff_required
def release(title_id: int):
    title = db.get_or_404(Title, title_id)
    told = services.release(title)
    return title.as_dict() | {"notifications": told}


@blueprint.get("/genres")
def genres():
    found = db.session.scalars(select(Genre).order_by(Genre.name))
    return {"items": [genre.as_dict() | {"titles": len(genre.titles)} for genre in found]}


@blueprint.get("/follows")
@login_required
def follows():
    query = select(TitleFollow).filter_by(member_id=g.member.id).order_by(TitleFollow.id)
    return {"items": [follow.as_dict() for follow in db.session.scalars(query)]}


@blueprint.put("/titles/<int:title_id>/follow")
@login_required
def follow(title_id: int):
    return services.follow(db.get_or_404(Title, title_id), g.member).as_dict(), 201


@blueprint.delete("/titles/<int:title_id>/follow")
@login_required
def unfollow(title_id: int):
    services.unfollow(db.get_or_404(Title, title_id), g.member)
    return "", 204
