"""Loans and the fees for bringing things back broken."""
from datetime import date, timedelta

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, text
from sqlalchemy.orm import relationship

from toolshed.people import Borrower, Refusal, note
from toolshed.storage import Base, Session
from workshop import shelf

DAYS = {"power": 3, "garden": 7}


class Loan(Base):
    __tablename__ = "loan"
    id = Column(Integer, primary_key=True)
    borrower_id = Column(ForeignKey("borrower.id"), nullable=False)
    tool_id = Column(ForeignKey("tool.id"), nullable=False)
    due = Column(String(10), nullable=False)
    returned = Column(Boolean, nullable=False, default=False)
    borrower = relationship(Borrower)
    tool = relationship(shelf.Tool)
    fees = relationship("Fee", back_populates="loan")


class Fee(Base):
    __tablename__ = "fee"
    id = Column(Integer, primary_key=True)
    loan_id = Column(ForeignKey("loan.id"), nullable=False)
    cents = Column(Integer, nullable=False)
    paid = Column(Boolean, nullable=False, default=False)
    loan = relationship(Loan, back_populates="fees")


def describe(loan):
    return {"id": loan.id, "tool": loan.tool.name, "borrower": loan.borrower.name,
            "due": loan.due, "returned": loan.returned,
            "fees": [{"id": fee.id, "cents": fee.cents, "paid": fee.paid} for fee in loan.fees]}


def borrow(borrower, tool_id):
    if borrower.barred:
        raise Refusal("this card is barred", status=403)
    tool = shelf.take(tool_id)
    due = date.today() + timedelta(days=DAYS.get(tool.kind, 5))
    loan = Loan(borrower_id=borrower.id, tool_id=tool.id, due=due.isoformat())
    Session.add(loan)
    Session.commit()
    note(borrower.id, "borrowed", tool.name)
    return loan


def bring_back(loan, broken=False):
    if loan.returned:
        raise Refusal("already back")
    loan.returned = True
    if broken:
        loan.fees.append(Fee(cents=loan.tool.deposit_cents // 2))
    Session.commit()
    shelf.put_back(loan.tool_id)
    note(loan.borrower_id, "returned", loan.tool.name)


def pay(fee):
    if fee.paid:
        raise Refusal("already paid")
    fee.paid = True
    Session.commit()


def out_now():
    """For the caretaker's round: who has what, and what it has cost them."""
    rows = Session.execute(text("""
        SELECT b.name AS who, t.name AS what, COALESCE(SUM(f.cents), 0) AS cents
        FROM loan l JOIN borrower b ON b.id = l.borrower_id
        JOIN tool t ON t.id = l.tool_id LEFT JOIN fee f ON f.loan_id = l.id
        WHERE l.returned = :back GROUP BY l.id ORDER BY b.name, t.name, l.id
    """), {"back": False})
    return [dict(row._mapping) for row in rows]
