from datetime import datetime, timedelta, timezone

import pytest
from conftest import PASSWORD, eventually, flashed


def test_register_signs_in_and_makes_a_profile(register):
    client = register("helen")
    me = client.get("/api/members/me").json()
    assert (me["email"], me["name"], me["is_staff"]) == ("helen@new.example", "Helen", False)
    profiles = client.get("/api/profiles").json()["items"]
    assert [profile["name"] for profile in profiles] == ["Helen"]
    assert me["profile_id"] == profiles[0]["id"]


def test_address_is_unique_whatever_its_case(register, visitor):
    register("ivan")
    body = {"email": "IVAN@new.example", "name": "Ivan", "password": "x"}
    response = visitor.post("/api/members", json=body)
    assert response.status_code == 409
    assert "already" in response.json()["error"]["message"]


@pytest.mark.parametrize("missing", ["email", "name", "password"])
def test_register_needs_every_field(visitor, missing):
    body = {"email": "x@new.example", "name": "X", "password": "x"}
    del body[missing]
    response = visitor.post("/api/members", json=body)
    assert response.status_code == 400
    assert response.json()["error"]["message"] == f"Missing: {missing}."


def test_welcome_mail(register):
    client = register("julia")
    mails = eventually(lambda: client.get("/api/mails").json()["items"], bool)
    assert mails == [{"subject": "Welcome", "body": "Hello Julia, good to have you."}]


def test_wrong_password(visitor):
    body = {"email": "alice@stream.example", "password": "wrong"}
    response = visitor.post("/api/session", json=body)
    assert response.status_code == 403
    assert visitor.get("/api/members/me").status_code == 401


def test_account_is_locked_after_five_failures_until_staff_unlocks_it(register, visitor, staff):
    member = register("karl").member
    wrong = {"email": "karl@new.example", "password": "wrong"}
    right = {"email": "karl@new.example", "password": PASSWORD}
    for _ in range(5):
        assert visitor.post("/api/session", json=wrong).status_code == 403
    assert "locked" in visitor.post("/api/session", json=right).json()["error"]["message"]
    assert staff.post(f"/api/members/{member['id']}/unlock").status_code == 204
    assert visitor.post("/api/session", json=right).status_code == 201


def test_sign_out_ends_the_session(sign_in):
    client = sign_in("grace")
    assert client.delete("/api/session").status_code == 204
    assert client.get("/api/members/me").status_code == 401


def test_session_cookie_is_kept_from_scripts(sign_in):
    cookie = next(iter(sign_in("grace").cookies))
    assert cookie.name == "session"
    assert cookie.has_nonstandard_attr("HttpOnly")


def test_rename(register):
    client = register("lena")
    assert client.patch("/api/members/me", json={"name": "Lena L."}).json()["name"] == "Lena L."
    assert client.get("/api/members/me").json()["name"] == "Lena L."


def test_profiles_are_added_renamed_and_deleted(register):
    client = register("mona")
    response = client.post("/api/profiles", json={"name": "Kid", "is_child": True})
    assert response.status_code == 201
    profile = response.json()
    assert profile["is_child"] is True
    address = f"/api/profiles/{profile['id']}"
    assert client.patch(address, json={"name": "Child"}).json()["name"] == "Child"
    assert client.get(address).json()["name"] == "Child"
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404


def test_two_profiles_of_one_name(register):
    client = register("nora")
    response = client.post("/api/profiles", json={"name": "Nora"})
    assert response.status_code == 409


def test_last_profile_stays(register):
    client = register("otto")
    profile = client.get("/api/profiles").json()["items"][0]
    response = client.delete(f"/api/profiles/{profile['id']}")
    assert response.status_code == 409
    assert "last profile" in response.json()["error"]["message"]


def test_profile_with_a_history_stays(sign_in):
    client = sign_in("carol")
    profile = client.get("/api/profiles").json()["items"][0]
    response = client.delete(f"/api/profiles/{profile['id']}")
    assert response.status_code == 409
    assert response.json()["error"]["message"] == "Carol has a history."


def test_preferences(register):
    client = register("paul")
    address = f"/api/profiles/{client.get('/api/profiles').json()['items'][0]['id']}"
    changed = client.put(address, json={"language": "de", "subtitles": True}).json()
    assert changed["preferences"] == {"language": "de", "subtitles": True, "autoplay": True}
    assert client.put(address, json={"language": 5}).status_code == 400
    assert client.get(address).json() == changed


def test_profiles_of_others_are_not_found(register, sign_in):
    client = register("quentin")
    profile = client.get("/api/profiles").json()["items"][0]
    assert sign_in("grace").get(f"/api/profiles/{profile['id']}").status_code == 404


def test_last_seen_is_noted(sign_in, staff):
    client = sign_in("erin")
    member_id = client.get("/api/members/me").json()["id"]
    recently = datetime.now(timezone.utc).replace(tzinfo=None) - timedelta(minutes=5)

    def last_seen():
        activity = staff.get(f"/api/members/{member_id}/activity").json()
        return datetime.fromisoformat(activity["last_seen_at"])

    eventually(last_seen, lambda moment: moment > recently)


def test_activity_is_for_staff(sign_in):
    response = sign_in("grace").get("/api/members/1/activity")
    assert response.status_code == 403
    assert response.json()["error"] == {"status": 403, "message": "This is for staff."}


def test_sign_up_form(visitor):
    fields = {"email": "rosa@new.example", "name": "Rosa", "password": PASSWORD}
    response = visitor.submit("/sign-up", "/sign-up", **fields)
    assert response.headers["Location"] == "/billing"
    assert flashed(visitor.follow(response)) == ["Welcome, Rosa!"]
    assert "Rosa" in visitor.page("/account")


def test_sign_up_form_is_shown_again_with_what_is_wrong(visitor):
    incomplete = visitor.submit("/sign-up", "/sign-up", email="sven@new.example")
    assert incomplete.status_code == 400
    assert flashed(incomplete) == ["Please fill in every field."]
    taken = {"email": "alice@stream.example", "name": "A", "password": "x"}
    response = visitor.submit("/sign-up", "/sign-up", **taken)
    assert response.status_code == 409
    assert flashed(response) == ["There is an account with this address already."]


def test_sign_in_form_leads_back(visitor):
    response = visitor.get("/account", allow_redirects=False)
    assert response.headers["Location"] == "/sign-in?next=/account"
    page = visitor.follow(response)
    assert flashed(page) == ["Please sign in first."]
    assert 'name="next" value="/account"' in page.text
    fields = {"email": "grace@stream.example", "password": PASSWORD, "next": "/account"}
    response = visitor.submit("/sign-in", "/sign-in", **fields)
    assert response.headers["Location"] == "/account"
    assert flashed(visitor.follow(response)) == ["Hello, Grace Gerber."]


def test_sign_in_form_does_not_lead_to_other_sites(visitor):
    fields = {"email": "grace@stream.example", "password": PASSWORD, "next": "//evil.example"}
    response = visitor.submit("/sign-in", "/sign-in", **fields)
    assert response.headers["Location"] == "/"


def test_sign_out_form(sign_in):
    client = sign_in("grace")
    response = client.submit("/account", "/sign-out")
    assert flashed(client.follow(response)) == ["You are signed out."]
    assert client.get("/account", allow_redirects=False).status_code == 302


def test_account_form(register):
    client = register("tina")
    response = client.submit("/account", "/account", name="Tina T.")
    assert flashed(client.follow(response)) == ["Saved."]
    assert "<h1>Tina T.</h1>" in client.page("/account")


def test_choosing_a_profile(register):
    client = register("uwe")
    response = client.submit("/account", "/account/profiles", name="Ursel")
    assert flashed(client.follow(response)) == ["Ursel can watch now."]
    ursel = client.get("/api/profiles").json()["items"][1]
    response = client.submit("/account", f"/account/profiles/{ursel['id']}/use")
    assert flashed(client.follow(response)) == ["Ursel is watching."]
    assert client.get("/api/members/me").json()["profile_id"] == ursel["id"]
    response = client.submit("/account", f"/account/profiles/{ursel['id']}/delete")
    assert flashed(client.follow(response)) == ["The profile is gone."]


def test_closing_an_account(register, visitor):
    client = register("vera")
    response = client.submit("/account", "/account/close")
    assert flashed(client.follow(response)) == ["Your account is closed. Goodbye."]
    body = {"email": "vera@new.example", "password": PASSWORD}
    assert visitor.post("/api/session", json=body).status_code == 403


def test_closing_an_account_with_a_subscription(sign_in):
    client = sign_in("carol")
    response = client.submit("/account", "/account/close")
    assert flashed(client.follow(response)) == ["Please cancel your subscription first."]
