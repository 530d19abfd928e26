from flask import Blueprint, render_template
from sqlalchemy import select

from streaming.database import db
from streaming.encoding.models import EncodingJob
from streaming.helpers import staff_required

blueprint = Blueprint("encoding", __name__)


@blueprint.get("/studio/encoding")
@staff_required
def jobs():
    query = select(EncodingJob).order_by(EncodingJob.id.desc()).limit(50)
    return render_template("encoding/jobs.html", jobs=db.session.scalars(query).all())
