from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event

db = SQLAlchemy()

labels = db.Table(
    "paper_labels",
    db.Column("paper_id", db.ForeignKey("paper.id")),
    db.Column("label_id", db.ForeignKey("label.id", ondelete="CASCADE")),
)


class Saved:
    def save(self):
        db.session.add(self)
        db.session.commit()
        return self


class Paper(Saved, db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(50))
    stock = db.Column(db.Integer, default=0)
    options = db.Column(db.JSON)
    labels = db.relationship("Label", secondary=labels, backref="papers")
    copies = db.relationship("SoldCopy", back_populates="paper", cascade="all, delete-orphan")


class Label(Saved, db.Model):
    id = db.Column(db.Integer, primary_key=True)
    text = db.Column(db.String(20))


class Reader(Saved, db.Model):
    __tablename__ = "readers"
    id = db.Column(db.Integer, primary_key=True)
    kind = db.Column(db.String(10))
    visits = db.Column(db.Integer, default=0)
    __mapper_args__ = {"polymorphic_on": kind, "polymorphic_identity": "reader"}


class Subscriber(Reader):
    __tablename__ = "subscribers"
    id = db.Column(db.ForeignKey("readers.id"), primary_key=True)
    until = db.Column(db.Date)
    __mapper_args__ = {"polymorphic_identity": "subscriber"}


class SoldCopy(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    paper_id = db.Column(db.ForeignKey("paper.id"))
    reader_id = db.Column(db.ForeignKey("readers.id"))
    paper = db.relationship(Paper, back_populates="copies")
    reader = db.relationship(Reader, backref=db.backref("copies", lazy="dynamic"))


class Ledger(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    line = db.Column(db.String(100))


@event.listens_for(Label, "after_insert")
def note_label(mapper, connection, label):
    connection.execute(Ledger.__table__.insert().values(line=label.text))
