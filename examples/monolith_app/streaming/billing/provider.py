"""The adapter of the payment provider; nobody else knows how it is spoken to."""

from dataclasses import dataclass

import requests
from flask import current_app

from streaming.errors import DomainError


class ProviderUnreachable(DomainError):
    """No answer came; whether money moved is not known."""

    status = 502


@dataclass(frozen=True)
class Charge:
    id: str
    status: str


class PaymentProvider:
    def __init__(self, url: str, timeout: float, callback: str) -> None:
        self.url = url
        self.timeout = timeout
        self.callback = callback

    def charge(self, key: str, card_token: str, cents: int) -> Charge:
        answer = self._post(
            "/charges", key=key, card=card_token, amount_cents=cents, callback=self.callback
        )
        return Charge(answer["id"], answer["status"])

    def refund(self, key: str, charge_id: str, cents: int) -> str:
        return self._post("/refunds", key=key, charge=charge_id, amount_cents=cents)["id"]

    def _post(self, path: str, **body) -> dict:
        try:
            response = requests.post(self.url + path, json=body, timeout=self.timeout)
            response.raise_for_status()
        except requests.RequestException as error:
            raise ProviderUnreachable("The payment provider does not answer.") from error
        return response.json()


def payment_provider() -> PaymentProvider:
    config = current_app.config
    callback = config["PUBLIC_URL"] + "/billing/webhooks/payments"
    return PaymentProvider(config["PAYMENT_URL"], config["PAYMENT_TIMEOUT"], callback)
