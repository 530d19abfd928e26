import csv
import io

from flask import Blueprint, Response, render_template

from streaming.helpers import staff_required
from streaming.reports import services

blueprint = Blueprint("reports", __name__, url_prefix="/reports")

COLUMNS = ("member", "plan", "viewings", "watched_s", "first_title", "revenue_cents")


@blueprint.get("/engagement")
@staff_required
def engagement():
    return render_template("reports/engagement.html", rows=services.engagement())


@blueprint.get("/engagement.csv")
@staff_required
def engagement_csv():
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(services.engagement())
    return Response(file.getvalue(), mimetype="text/csv")
