from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from streaming.billing.models import Invoice, Refund
from streaming.database import SaveMixin, db
from streaming.helpers import utcnow
from streaming.members.models import Member


class Ticket(SaveMixin, db.Model):
    __tablename__ = "tickets"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    invoice_id: Mapped[int | None] = mapped_column(ForeignKey("invoices.id"))
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refunds.id"))
    subject: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(20), default="open", index=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    member: Mapped[Member] = relationship()
    invoice: Mapped[Invoice | None] = relationship()
    refund: Mapped[Refund | None] = relationship()
    messages: Mapped[list[TicketMessage]] = relationship(
        back_populates="ticket", cascade="all, delete-orphan", order_by="TicketMessage.id"
    )

    def as_dict(self) -> dict:
        return {
            "id": self.id,
            "member": self.member.email,
            "subject": self.subject,
            "status": self.status,
            "invoice": self.invoice.number if self.invoice else None,
            "refund": self.refund.as_dict() if self.refund else None,
            "messages": [message.as_dict() for message in self.messages],
        }


class TicketMessage(db.Model):
    __tablename__ = "ticket_messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    body: Mapped[str]
    written_at: Mapped[datetime] = mapped_column(default=utcnow)

    ticket: Mapped[Ticket] = relationship(back_populates="messages")
    author: Mapped[Member] = relationship()

    def as_dict(self) -> dict:
        return {"author": self.author.name, "staff": self.author.is_staff, "body": self.body}
