from flask import Blueprint, abort, flash, g, redirect, render_template, request, session, url_for

from streaming.database import db
from streaming.errors import DomainError
from streaming.helpers import login_required, safe_next
from streaming.members import services
from streaming.members.models import Member, Profile

blueprint = Blueprint("members", __name__)


@blueprint.before_app_request
def load_member() -> None:
    """Who is asking, and which profile of the household is chosen."""
    g.member = None
    g.profile = None
    if "member_id" in session:
        member = db.session.get(Member, session["member_id"])
        if member is not None and member.closed_at is None:
            g.member = member
            g.profile = chosen_profile(member)


@blueprint.before_app_request
def touch_member() -> None:
    if g.member is not None and request.endpoint != "static":
        services.record_last_seen(g.member)


def chosen_profile(member: Member) -> Profile | None:
    for profile in member.profiles:
        if profile.id == session.get("profile_id"):
            return profile
    return member.profiles[0] if member.profiles else None


def start_session(member: Member) -> None:
    session.clear()
    session["member_id"] = member.id


def own_profile(profile_id: int) -> Profile:
    profile = db.get_or_404(Profile, profile_id)
    if profile.member_id != g.member.id:
        abort(404)
    return profile


@blueprint.route("/sign-up", methods=["GET", "POST"])
def sign_up():
    if request.method == "GET":
        return render_template("members/sign_up.html")
    form = request.form
    if not all(form.get(name) for name in ("email", "name", "password")):
        flash("Please fill in every field.", "error")
        return render_template("members/sign_up.html"), 400
    try:
        member = services.register(form["email"], form["name"], form["password"])
    except services.EmailTaken as error:
        flash(str(error), "error")
        return render_template("members/sign_up.html"), 409
    start_session(member)
    flash(f"Welcome, {member.name}!", "success")
    return redirect(url_for("billing.overview"))


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in():
    if request.method == "GET":
        return render_template("members/sign_in.html", next=safe_next(""))
    try:
        member = services.sign_in(request.form.get("email", ""), request.form.get("password", ""))
    except DomainError as error:
        flash(str(error), "error")
        return render_template("members/sign_in.html", next=safe_next("")), error.status
    start_session(member)
    flash(f"Hello, {member.name}.", "success")
    return redirect(safe_next(url_for("catalogue.home")))


@blueprint.post("/sign-out")
def sign_out():
    session.clear()
    flash("You are signed out.", "success")
    return redirect(url_for("catalogue.home"))


@blueprint.route("/account", methods=["GET", "POST"])
@login_required
def account():
    if request.method == "POST":
        name = request.form.get("name", "").strip()
        if name:
            services.rename(g.member, name)
            flash("Saved.", "success")
        else:
            flash("A name is needed.", "error")
        return redirect(url_for("members.account"))
    return render_template("members/account.html", profiles=g.member.profiles)


@blueprint.post("/account/close")
@login_required
def close():
    try:
        services.close_account(g.member)
    except DomainError as error:
        flash(str(error), "error")
        return redirect(url_for("members.account"))
    session.clear()
    flash("Your account is closed. Goodbye.", "success")
    return redirect(url_for("catalogue.home"))


@blueprint.post("/account/profiles")
@login_required
def add_profile():
    try:
        profile = services.add_profile(
            g.member, request.form.get("name", "").strip() or "Guest", "is_child" in request.form
        )
        flash(f"{profile.name} can watch now.", "success")
    except DomainError as error:
        flash(str(error), "error")
    return redirect(url_for("members.account"))


@blueprint.post("/account/profiles/<int:profile_id>/use")
@login_required
def use_profile(profile_id: int):
    profile = own_profile(profile_id)
    session["profile_id"] = profile.id
    flash(f"{profile.name} is watching.", "success")
    return redirect(safe_next(url_for("catalogue.home")))


@blueprint.post("/account/profiles/<int:profile_id>/delete")
@login_required
def delete_profile(profile_id: int):
    try:
        services.remove_profile(own_profile(profile_id))
        flash("The profile is gone.", "success")
    except services.ProfileInUse as error:
        flash(str(error), "error")
    return redirect(url_for("members.account"))
