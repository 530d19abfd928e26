"""A newspaper kiosk: every way in which Flask registers things, and SQLAlchemy writes them."""

from kiosk.application import create_app

__all__ = ["create_app"]
