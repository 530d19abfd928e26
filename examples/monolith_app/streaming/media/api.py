from flask import Blueprint, Response, abort, g, request, send_file
from sqlalchemy import select

from streaming.catalogue.models import Title
from streaming.database import db
from streaming.encoding.codecs import CODECS
from streaming.helpers import login_required, media_path, paginate, staff_required
from streaming.media import services
from streaming.media.models import Asset, Rendition

blueprint = Blueprint("media_api", __name__, url_prefix="/api")


@blueprint.put("/titles/<int:title_id>/original")
@staff_required
def upload(title_id: int):
    title = db.get_or_404(Title, title_id)
    filename = request.args.get("filename", f"{title.slug}.bin")
    content_type = request.mimetype or "application/octet-stream"
    asset = services.store_original(title, g.member, filename, content_type, request.stream)
    return asset.as_dict(), 201


@blueprint.get("/assets")
@staff_required
def assets():
    return paginate(select(Asset).order_by(Asset.id), Asset.as_dict)


@blueprint.get("/assets/<int:asset_id>")
@staff_required
def asset(asset_id: int):
    return db.get_or_404(Asset, asset_id).as_dict()


@blueprint.get("/assets/<int:asset_id>/original")
@staff_required
def download(asset_id: int):
    asset = db.get_or_404(Asset, asset_id)
    path = services.original_path(asset)
    if not path.exists():
        abort(410, "The original was purged.")
    return send_file(
        path,
        mimetype=asset.content_type,
        as_attachment=True,
        download_name=asset.filename,
        etag=asset.sha256,
        last_modified=asset.uploaded_at,
    )


@blueprint.delete("/assets/<int:asset_id>/original")
@staff_required
def purge(asset_id: int):
    return services.purge_original(db.get_or_404(Asset, asset_id)).as_dict()


@blueprint.get("/renditions/<int:rendition_id>/stream")
@login_required
def stream(rendition_id: int):
    rendition = db.get_or_404(Rendition, rendition_id)
    return send_file(
        media_path(rendition.path),
        mimetype="application/octet-stream",
        etag=rendition.sha256,
        last_modified=rendition.asset.uploaded_at,
    )


@blueprint.get("/renditions/<int:rendition_id>/decoded")
@login_required
def decoded(rendition_id: int):
    """The film as it was before encoding, decoded while it is sent."""
    rendition = db.get_or_404(Rendition, rendition_id)
    chunks = CODECS[rendition.codec].decode(media_path(rendition.path))
    headers = {"Content-Length": str(rendition.asset.size), "ETag": f'"{rendition.asset.sha256}"'}
    return Response(chunks, mimetype=rendition.asset.content_type, headers=headers)
