"""python manage.py init|seed"""

import sys

from gallery import people, pictures, store


def init():
    store.Base.metadata.create_all(store.engine)


def seed():
    session = store.Session()
    ada = people.join(session, "Ada")
    session.add(pictures.Picture(name="first.txt", person_id=ada.id))
    session.commit()
    (pictures.UPLOADS / "first.txt").write_text("a picture of Ada")


if __name__ == "__main__":
    {"init": init, "seed": seed}[sys.argv[1]]()
