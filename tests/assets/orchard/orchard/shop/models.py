from orchard import db

order_trees = db.Table(
    "order_trees",
    db.Column("order_id", db.ForeignKey("orders.id")),
    db.Column("tree_id", db.ForeignKey("trees.id")),
)


class Order(db.Model):
    __tablename__ = "orders"

    id = db.Column(db.Integer, primary_key=True)
    paid = db.Column(db.Boolean, default=False)
    trees = db.relationship("Tree", secondary=order_trees, backref="orders")


class Customer(db.Model):
    __tablename__ = "customers"

    id = db.Column(db.Integer, primary_key=True)
