"""The application."""

from flask import Flask

from gallery.people import people
from gallery.pictures import pictures
from gallery.store import Session

app = Flask(__name__, static_folder=None)
app.register_blueprint(people)
app.register_blueprint(pictures)


@app.teardown_appcontext
def close(error):
    Session.remove()
