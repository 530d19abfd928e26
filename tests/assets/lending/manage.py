"""python manage.py init | seed"""
import sys

from toolshed import people
from toolshed.storage import Base, Session, engine
from workshop import shelf

import toolshed.loans  # noqa: F401  (its tables)


def seed():
    for card, name in [("N100", "Nora Quist"), ("N101", "Abel Munk")]:
        people.enrol(card, name, pin="4711")
    for name, kind in [("Hammer drill", "power"), ("Orbital sander", "power"), ("Spade", "garden")]:
        shelf.put_up(name, kind, deposit_cents=1500)


if __name__ == "__main__":
    command = sys.argv[1]
    if command == "init":
        Base.metadata.create_all(engine)
    elif command == "seed":
        seed()
    Session.remove()
