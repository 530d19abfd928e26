from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()

order_tags = db.Table(
    "order_tags",
    db.Column("order_id", db.Integer, db.ForeignKey("orders.id")),
    db.Column("tag", db.String(20)),
)


class Member(db.Model):
    __tablename__ = "members"
    id = db.Column(db.Integer, primary_key=True)
    email = db.Column(db.String(80), unique=True, nullable=False)
    balance = db.Column(db.Integer, default=100, nullable=False)
    visits = db.Column(db.Integer, default=0, nullable=False)
    last_seen = db.Column(db.DateTime)
    changed = db.Column(db.Integer, onupdate=lambda: 1)
    orders = db.relationship("Order", back_populates="member")

    def rename(self, email):
        from servicekit.calls import call

        return call("shop.models.Member.rename", (self, email), {})

    @classmethod
    def register(cls, email, **columns):
        from servicekit.calls import call

        return call("shop.models.Member.register", (cls, email), {**columns})


class Profile(db.Model):
    __tablename__ = "profiles"
    member_id = db.Column(db.Integer, primary_key=True)
    bio = db.Column(db.Text)
    edits = db.Column(db.Integer, default=0)


class Order(db.Model):
    __tablename__ = "orders"
    id = db.Column(db.Integer, primary_key=True)
    member_id = db.Column(db.Integer, db.ForeignKey("members.id"), nullable=False)
    total = db.Column(db.Integer, nullable=False)
    weight = db.Column(db.Float)
    label = db.Column(db.LargeBinary)
    member = db.relationship("Member", back_populates="orders")

    def __eq__(self, other):
        """Orders have no hash, therefore."""
        return isinstance(other, Order) and self.total == other.total


class Note(db.Model):
    """Of accounts; the order that it is about, and its stickers, are of orders."""

    __tablename__ = "notes"
    id = db.Column(db.Integer, primary_key=True)
    words = db.Column(db.Text)
    order_id = db.Column(db.Integer, db.ForeignKey("orders.id"))
    order = db.relationship("Order", backref="notes")
    stickers = db.relationship("Sticker", backref="note")


class Sticker(db.Model):
    __tablename__ = "stickers"
    id = db.Column(db.Integer, primary_key=True)
    note_id = db.Column(db.Integer, db.ForeignKey("notes.id"))
