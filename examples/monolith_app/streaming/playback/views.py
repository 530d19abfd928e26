from flask import Blueprint, flash, g, redirect, render_template, request, url_for

from streaming.catalogue import services as catalogue
from streaming.database import db
from streaming.errors import DomainError
from streaming.helpers import login_required
from streaming.media import services as media
from streaming.members.services import TooManyStreams
from streaming.playback import services
from streaming.playback.api import own_viewing

blueprint = Blueprint("playback", __name__)


@blueprint.route("/watch/<slug>", methods=["GET", "POST"])
@login_required
def watch(slug: str):
    title = catalogue.by_slug(slug)
    if request.method == "POST":
        try:
            services.start(g.profile, title, request.form.get("device", "Browser"))
        except TooManyStreams as error:
            flash(f"{error} Stop one of {error.active} first.", "error")
            return redirect(url_for("playback.history"))
        except DomainError as error:
            flash(str(error), "error")
            return redirect(url_for("catalogue.title", slug=slug))
        return redirect(url_for("playback.watch", slug=slug))
    return render_template(
        "playback/watch.html",
        title=title,
        viewing=services.unfinished(g.profile, title),
        rendition=media.best_rendition(title),
    )


@blueprint.get("/history")
@login_required
def history():
    viewings = db.session.scalars(services.history(g.profile).limit(50)).all()
    items = services.watchlist(g.profile)
    return render_template("playback/history.html", viewings=viewings, watchlist=items)


@blueprint.post("/history/<int:viewing_id>/stop")
@login_required
def stop(viewing_id: int):
    services.stop(own_viewing(viewing_id))
    flash("Stopped.", "success")
    return redirect(url_for("playback.history"))


@blueprint.post("/history/<int:viewing_id>/delete")
@login_required
def delete(viewing_id: int):
    viewing = own_viewing(viewing_id)
    name = viewing.title.name
    viewing.delete()
    flash(f"{name} is gone from your history.", "success")
    return redirect(url_for("playback.history"))


@blueprint.post("/titles/<slug>/watchlist")
@login_required
def toggle_watchlist(slug: str):
    title = catalogue.by_slug(slug)
    if services.remember(g.profile, title):
        flash(f"{title.name} is on your list.", "success")
    else:
        services.forget(g.profile, title)
        flash(f"{title.name} is off your list.", "success")
    return redirect(url_for("catalogue.title", slug=slug))
