"""What all pages, and all answers, have in common."""

import pytest


def test_head_of_the_page_for_visitors_members_and_staff(visitor, sign_in, staff):
    page = visitor.page("/")
    assert 'href="/sign-in"' in page
    assert 'href="/billing"' not in page
    page = sign_in("carol").page("/")
    for address in ("/for-you", "/history", "/notifications", "/billing", "/support", "/account"):
        assert f'href="{address}"' in page
    assert 'href="/studio"' not in page
    page = staff.page("/")
    for address in ("/studio", "/studio/encoding", "/reports/engagement"):
        assert f'href="{address}"' in page


def test_stylesheet(visitor):
    response = visitor.get("/static/style.css")
    assert response.headers["Content-Type"].startswith("text/css")
    assert ".shelf" in response.text


@pytest.mark.parametrize(
    "action",
    ["/sign-out", "/account", "/billing/cancel", "/support/tickets", "/notifications/read"],
)
def test_forms_without_token_are_refused(sign_in, action):
    client = sign_in("carol")
    response = client.post(action, data={"csrf_token": "guessed"})
    assert response.status_code == 400
    assert "The form has expired. Please send it again." in response.text


def test_token_of_another_session_is_refused(sign_in, visitor):
    token = visitor.token("/sign-in")
    response = sign_in("carol").post("/sign-out", data={"csrf_token": token})
    assert response.status_code == 400


@pytest.mark.parametrize("path", ["/api/nothing", "/api/titles/one"])
def test_unknown_address_of_the_api(visitor, path):
    response = visitor.get(path)
    assert response.status_code == 404
    assert response.json()["error"]["status"] == 404


def test_method_not_allowed(visitor):
    response = visitor.post("/healthz", json={})
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_session_is_not_forged(visitor):
    visitor.cookies.set("session", "eyJtZW1iZXJfaWQiOjF9.aaaaaa.forged")
    assert visitor.get("/api/members/me").status_code == 401


def test_flashed_message_is_shown_once(visitor):
    response = visitor.get("/account")
    assert "Please sign in first." in response.text
    assert "Please sign in first." not in visitor.page("/sign-in")


def test_health(visitor):
    assert visitor.get("/healthz").json() == {"status": "ok"}
