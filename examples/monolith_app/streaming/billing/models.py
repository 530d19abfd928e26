from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from streaming.database import SaveMixin, db
from streaming.helpers import iso, today, utcnow
from streaming.members.models import Member

DAYS_TO_PAY = timedelta(days=14)


class Plan(db.Model):
    __tablename__ = "plans"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    price_cents: Mapped[int]
    max_streams: Mapped[int]

    def as_dict(self) -> dict:
        return {
            "code": self.code,
            "name": self.name,
            "price_cents": self.price_cents,
            "max_streams": self.max_streams,
        }


class Subscription(SaveMixin, db.Model):
    __tablename__ = "subscriptions"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("plans.id"))
    card_token: Mapped[str] = mapped_column(String(60))
    status: Mapped[str] = mapped_column(String(20), default="active")
    started_on: Mapped[date] = mapped_column(default=today)
    cancelled_at: Mapped[datetime | None]

    member: Mapped[Member] = relationship()
    plan: Mapped[Plan] = relationship()
    invoices: Mapped[list[Invoice]] = relationship(back_populates="subscription")

    def as_dict(self) -> dict:
        return {
            "plan": self.plan.as_dict(),
            "status": self.status,
            "started_on": iso(self.started_on),
        }


class Invoice(SaveMixin, db.Model):
    __tablename__ = "invoices"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str | None] = mapped_column(String(20), unique=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscriptions.id"))
    description: Mapped[str] = mapped_column(String(200))
    amount_cents: Mapped[int]
    refunded_cents: Mapped[int] = mapped_column(default=0)
    status: Mapped[str] = mapped_column(String(20), default="open", index=True)
    issued_on: Mapped[date] = mapped_column(default=today)
    due_on: Mapped[date] = mapped_column(default=lambda: today() + DAYS_TO_PAY)
    paid_at: Mapped[datetime | None]

    member: Mapped[Member] = relationship()
    subscription: Mapped[Subscription | None] = relationship(back_populates="invoices")
    payments: Mapped[list[Payment]] = relationship(
        back_populates="invoice", cascade="all, delete-orphan", order_by="Payment.id"
    )
    refunds: Mapped[list[Refund]] = relationship(
        back_populates="invoice", cascade="all, delete-orphan", order_by="Refund.id"
    )

    def as_dict(self) -> dict:
        return {
            "id": self.id,
            "number": self.number,
            "member": self.member.email,
            "description": self.description,
            "amount_cents": self.amount_cents,
            "refunded_cents": self.refunded_cents,
            "status": self.status,
            "issued_on": iso(self.issued_on),
            "due_on": iso(self.due_on),
        }


class Payment(SaveMixin, db.Model):
    """One attempt to collect an invoice."""

    __tablename__ = "payments"

    id: Mapped[int] = mapped_column(primary_key=True)
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id"), index=True)
    key: Mapped[str] = mapped_column(String(60), unique=True)
    card_token: Mapped[str] = mapped_column(String(60))
    amount_cents: Mapped[int]
    status: Mapped[str] = mapped_column(String(20), default="pending")
    charge_id: Mapped[str | None] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    invoice: Mapped[Invoice] = relationship(back_populates="payments")

    def as_dict(self) -> dict:
        return {
            "key": self.key,
            "status": self.status,
            "amount_cents": self.amount_cents,
            "charge_id": self.charge_id,
        }


class Refund(SaveMixin, db.Model):
    __tablename__ = "refunds"

    id: Mapped[int] = mapped_column(primary_key=True)
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id"), index=True)
    cents: Mapped[int]
    reason: Mapped[str] = mapped_column(String(200))
    reference: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    invoice: Mapped[Invoice] = relationship(back_populates="refunds")

    def as_dict(self) -> dict:
        return {
            "id": self.id,
            "invoice": self.invoice.number,
            "cents": self.cents,
            "reason": self.reason,
            "reference": self.reference,
        }


class WebhookEvent(db.Model):
    """What the payment provider told us, so that it counts once however often it is told."""

    __tablename__ = "webhook_events"

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    payment_key: Mapped[str] = mapped_column(String(60))
    received_at: Mapped[datetime] = mapped_column(default=utcnow)
