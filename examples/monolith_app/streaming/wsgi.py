"""What the web server runs."""

from streaming import scheduler
from streaming.application import create_app

app = create_app()
scheduler.start(app)
