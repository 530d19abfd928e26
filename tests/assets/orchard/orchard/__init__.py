"""An orchard: trees, harvests and the shop that sells them."""
from .extensions import db, harvested
from .factory import create_app

__all__ = ["create_app", "db", "harvested"]
__version__ = "2.1"
