from bakery.extensions import db


class Regular(db.Model):
    __tablename__ = "regulars"

    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(40), unique=True, nullable=False)
    stamps = db.Column(db.Integer, nullable=False, default=0)


class Cake(db.Model):
    __tablename__ = "cakes"

    id = db.Column(db.Integer, primary_key=True)
    regular_id = db.Column(db.Integer, db.ForeignKey("regulars.id"), nullable=False)
    icing = db.Column(db.String(40), nullable=False, index=True)

    regular = db.relationship("Regular", backref="cakes")
