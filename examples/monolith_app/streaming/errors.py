"""Errors of the business, and how any error is shown."""

from flask import render_template, request
from werkzeug.exceptions import HTTPException

from streaming.helpers import json_error


class DomainError(Exception):
    """Something that the rules of the business forbid."""

    status = 409


class NotAllowed(DomainError):
    status = 403


class PaymentRequired(DomainError):
    status = 402


def wants_json() -> bool:
    return request.path.startswith("/api/") or request.is_json


def show_http_error(error: HTTPException):
    if wants_json():
        response = json_error(error.code or 500, error.description or error.name)
    else:
        response = (render_template("error.html", error=error), error.code or 500)
    if error.code == 405 and getattr(error, "valid_methods", None):
        body, status = response
        return body, status, {"Allow": ", ".join(sorted(error.valid_methods))}
    return response


def show_domain_error(error: DomainError):
    if wants_json():
        return json_error(error.status, str(error))
    page = {"code": error.status, "name": "That did not work", "description": str(error)}
    return render_template("error.html", error=page), error.status


def init_app(app) -> None:
    app.register_error_handler(HTTPException, show_http_error)
    app.register_error_handler(DomainError, show_domain_error)
