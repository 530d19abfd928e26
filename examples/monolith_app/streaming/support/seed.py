from datetime import datetime

from sqlalchemy import select

from streaming.database import db
from streaming.members.models import Member
from streaming.support.models import Ticket, TicketMessage


def seed_support() -> None:
    asked = datetime(2024, 3, 2, 10)
    member = db.session.scalars(select(Member).filter_by(email="bob@stream.example")).one()
    ticket = Ticket(member=member, subject="No sound on my TV", created_at=asked)
    ticket.messages.append(TicketMessage(author=member, body="Since Monday.", written_at=asked))
    db.session.add(ticket)
    db.session.commit()
