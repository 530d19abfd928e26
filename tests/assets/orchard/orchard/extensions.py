from blinker import Namespace
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()
_signals = Namespace(); harvested = _signals.signal("harvested")
sold = _signals.signal("sold")  # told by the shop
