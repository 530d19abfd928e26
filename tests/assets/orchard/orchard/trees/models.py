from orchard.extensions import db


class Weighed:
    """Mixed into what has a weight."""

    grams = db.Column(db.Integer, default=0)


class Tree(db.Model):
    __tablename__ = "trees"

    id = db.Column(db.Integer, primary_key=True)
    kind = db.Column(db.String(30))
    harvests = db.relationship("Harvest", backref="tree", cascade="all, delete-orphan")


class Harvest(Weighed, db.Model):
    __tablename__ = "harvests"

    id = db.Column(db.Integer, primary_key=True)
    tree_id = db.Column(db.ForeignKey("trees.id"))


@db.event.listens_for(Tree, "before_delete")
def remember_felled(mapper, connection, tree):
    FELLED.append(tree.kind)


FELLED = []
