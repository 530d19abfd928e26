from flask import (
    Blueprint,
    abort,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)

from streaming.catalogue.models import Title
from streaming.database import db
from streaming.errors import DomainError
from streaming.helpers import staff_required
from streaming.media import services

blueprint = Blueprint("media", __name__)


@blueprint.get("/artwork/<int:title_id>")
def artwork(title_id: int):
    title = db.get_or_404(Title, title_id)
    found = services.find_artwork(title)
    if found is None:
        picture = render_template("media/placeholder.svg", title=title)
        return picture, 200, {"Content-Type": "image/svg+xml", "Cache-Control": "no-cache"}
    path, content_type = found
    return send_file(path, mimetype=content_type, conditional=True)


@blueprint.post("/studio/titles/<int:title_id>/artwork")
@staff_required
def upload_artwork(title_id: int):
    title = db.get_or_404(Title, title_id)
    upload = request.files.get("artwork")
    if upload is None:
        abort(400, "No file was sent.")
    image = upload.read()
    if len(image) > current_app.config["MAX_ARTWORK_BYTES"]:
        abort(413, "The picture is too large.")
    try:
        services.store_artwork(title, upload.mimetype, image)
        flash(f"{title.name} has new artwork.", "success")
    except DomainError as error:
        flash(str(error), "error")
    return redirect(url_for("catalogue.title", slug=title.slug))
