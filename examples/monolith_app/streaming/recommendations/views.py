from flask import Blueprint, g, render_template

from streaming.helpers import login_required
from streaming.recommendations import services

blueprint = Blueprint("recommendations", __name__)


@blueprint.get("/for-you")
@login_required
def for_you():
    return render_template(
        "recommendations/for_you.html",
        titles=services.recommend(g.profile),
        popular=services.popular(),
    )
