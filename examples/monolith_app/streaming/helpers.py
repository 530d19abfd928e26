"""Small things that every part of the application needs."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from datetime import date, datetime, timezone
from functools import wraps
from pathlib import Path

from flask import abort, current_app, flash, g, jsonify, redirect, request, session, url_for
from werkzeug.security import generate_password_hash

from streaming.database import db

PAGE_SIZE = 10


# Time and text


def utcnow() -> datetime:
    return datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0)


def today() -> date:
    return utcnow().date()


def iso(moment: date | datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def slugify(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d} EUR"


def duration(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"


# Requests and answers


def json_error(status: int, message: str, **details):
    return jsonify(error={"status": status, "message": message, **details}), status


def json_body(*required: str) -> dict:
    """The request's JSON object, in which the required fields are present."""
    body = request.get_json()
    if not isinstance(body, dict):
        abort(400, "The body must be a JSON object.")
    missing = [name for name in required if body.get(name) in (None, "")]
    if missing:
        abort(400, "Missing: " + ", ".join(missing) + ".")
    return body


def whole_number(value, name: str, least: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        abort(400, f"{name} must be a whole number of at least {least}.")
    return value


def paginate(query, to_dict: Callable) -> dict:
    page = db.paginate(query, page=request.args.get("page", 1, int), per_page=PAGE_SIZE)
    return {
        "items": [to_dict(item) for item in page.items],
        "page": page.page,
        "pages": page.pages,
        "total": page.total,
    }


def safe_next(default: str) -> str:
    """Where to go after a form, if that is on this site."""
    target = request.form.get("next") or request.args.get("next") or ""
    return target if re.match(r"/(?![/\\])", target) else default


# Who may do what


def login_required(view):
    @wraps(view)
    def guarded(*args, **kwargs):
        if g.member is None:
            if request.path.startswith("/api/"):
                abort(401, "Sign in first.")
            flash("Please sign in first.", "warning")
            return redirect(url_for("members.sign_in", next=request.path))
        return view(*args, **kwargs)

    return guarded


def staff_required(view):
    @wraps(view)
    @login_required
    def guarded(*args, **kwargs):
        if not g.member.is_staff:
            abort(403, "This is for staff.")
        return view(*args, **kwargs)

    return guarded


def hash_password(password: str) -> str:
    return generate_password_hash(password, method=current_app.config["PASSWORD_METHOD"])


def csrf_token() -> str:
    if "csrf_token" not in session:
        session["csrf_token"] = secrets.token_hex(16)
    return session["csrf_token"]


def check_csrf() -> None:
    """Every form carries the token of its session; JSON cannot be sent by a foreign form."""
    if request.method != "POST" or request.path.startswith("/api/") or request.is_json:
        return
    sent = request.form.get("csrf_token", "")
    if not hmac.compare_digest(sent, session.get("csrf_token", "")) or not sent:
        abort(400, "The form has expired. Please send it again.")


def signature(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


# Files


def media_path(*parts: str) -> Path:
    """A file below the media folder; the folders that lead to it exist afterwards."""
    path = Path(current_app.config["MEDIA_ROOT"]).absolute().joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 16):
            digest.update(chunk)
    return digest.hexdigest()
