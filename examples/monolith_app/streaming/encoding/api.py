from flask import Blueprint, g, request
from sqlalchemy import select

from streaming.database import db
from streaming.encoding import services
from streaming.encoding.models import EncodingJob
from streaming.helpers import json_body, paginate, staff_required, whole_number
from streaming.media.models import Asset

blueprint = Blueprint("encoding_api", __name__, url_prefix="/api/encoding/jobs")


@blueprint.post("")
@staff_required
def request_job():
    body = json_body("asset_id", "codec")
    asset = db.get_or_404(Asset, whole_number(body["asset_id"], "asset_id"))
    job = services.request_job(asset, str(body["codec"]), g.member, bool(body.get("hold")))
    return job.as_dict(), 202


@blueprint.get("")
@staff_required
def jobs():
    query = select(EncodingJob).order_by(EncodingJob.id)
    if "status" in request.args:
        query = query.where(EncodingJob.status == request.args["status"])
    return paginate(query, EncodingJob.as_dict)


@blueprint.get("/<int:job_id>")
@staff_required
def job(job_id: int):
    return db.get_or_404(EncodingJob, job_id).as_dict()


@blueprint.post("/<int:job_id>/cancel")
@staff_required
def cancel(job_id: int):
    job = db.get_or_404(EncodingJob, job_id)
    return services.change_status(job, "cancelled", "held", "queued").as_dict()


@blueprint.post("/<int:job_id>/start")
@staff_required
def start(job_id: int):
    """Queue a job that was held, or that failed."""
    job = db.get_or_404(EncodingJob, job_id)
    return services.change_status(job, "queued", "held", "failed").as_dict()
