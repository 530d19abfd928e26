from flask import Blueprint, request

from streaming.helpers import staff_required
from streaming.reports import services

blueprint = Blueprint("reports_api", __name__, url_prefix="/api/reports")


@blueprint.get("/engagement")
@staff_required
def engagement():
    return {"items": services.engagement(request.args.get("max_age", 18, int))}


@blueprint.get("/genres")
@staff_required
def genres():
    return {"items": services.genres()}
