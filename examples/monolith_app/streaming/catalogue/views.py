from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from sqlalchemy import select

from streaming.catalogue import services
from streaming.catalogue.models import Genre, Title
from streaming.database import db
from streaming.errors import DomainError
from streaming.helpers import login_required, staff_required

blueprint = Blueprint("catalogue", __name__)


@blueprint.get("/")
def home():
    return render_template("catalogue/home.html", shelves=services.shelves())


@blueprint.get("/titles/<slug>")
def title(slug: str):
    title = services.by_slug(slug)
    follow = services.following(title, g.member) if g.member else None
    return render_template("catalogue/title.html", title=title, follow=follow)


@blueprint.get("/genres/<slug>")
def genre(slug: str):
    genre = db.one_or_404(select(Genre).where(Genre.slug == slug))
    titles = db.session.scalars(services.listing(genre=slug))
    return render_template("catalogue/titles.html", heading=genre.name, titles=titles)


@blueprint.get("/search")
def search():
    text = request.args.get("q", "").strip()
    titles = list(db.session.scalars(services.listing(text=text))) if text else []
    return render_template("catalogue/titles.html", heading=f"Search: {text}", titles=titles)


@blueprint.post("/titles/<slug>/follow")
@login_required
def follow(slug: str):
    title = services.by_slug(slug)
    try:
        services.follow(title, g.member)
        flash(f"We will tell you when {title.name} is here.", "success")
    except services.AlreadyReleased as error:
        flash(str(error), "error")
    return redirect(url_for("catalogue.title", slug=slug))


@blueprint.post("/titles/<slug>/unfollow")
@login_required
def unfollow(slug: str):
    services.unfollow(services.by_slug(slug), g.member)
    flash("We will keep quiet.", "success")
    return redirect(url_for("catalogue.title", slug=slug))


@blueprint.get("/studio")
@staff_required
def studio():
    genres = db.session.scalars(select(Genre).order_by(Genre.name))
    return render_template("catalogue/studio.html", titles=services.upcoming(), genres=genres)


@blueprint.post("/studio/titles")
@staff_required
def add_title():
    form = request.form
    try:
        title = services.add_title(
            form["name"],
            form.get("year", 2025, int),
            form.get("runtime_s", 0, int),
            form.getlist("genres"),
        )
        flash(f"{title.name} is planned.", "success")
    except DomainError as error:
        flash(str(error), "error")
    return redirect(url_for("catalogue.studio"))


@blueprint.post("/studio/titles/<int:title_id>/release")
@staff_required
def release(title_id: int):
    title = db.get_or_404(Title, title_id)
    try:
        told = services.release(title)
        flash(f"{title.name} is released; {len(told)} members were told.", "success")
    except services.AlreadyReleased as error:
        flash(str(error), "error")
    return redirect(url_for("catalogue.title", slug=title.slug))
