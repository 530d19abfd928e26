import pytest
from conftest import eventually, flashed


@pytest.fixture
def alice(sign_in):
    client = sign_in("alice")
    client.profiles = client.get("/api/profiles").json()["items"]
    return client


@pytest.fixture
def bob(sign_in):
    client = sign_in("bob")
    client.profiles = client.get("/api/profiles").json()["items"]
    return client


def start(client, title_id: int, device: str, profile: int = 0):
    body = {"profile_id": client.profiles[profile]["id"], "title_id": title_id, "device": device}
    return client.post("/api/playback", json=body)


def stop(client, viewing: dict) -> dict:
    return client.post(f"/api/playback/{viewing['id']}/stop").json()


def test_start_progress_stop(alice, title_id):
    response = start(alice, title_id("overtime"), "Phone")
    assert response.status_code == 201
    viewing = response.json()
    assert (viewing["title"], viewing["device"], viewing["active"]) == ("overtime", "Phone", True)
    assert viewing["source"] is None
    address = f"/api/playback/{viewing['id']}/progress"
    assert alice.post(address, json={"position_s": 600}).json()["position_s"] == 600
    stopped = stop(alice, viewing)
    assert (stopped["active"], stopped["active_streams"]) == (False, 0)
    assert alice.post(address, json={"position_s": 700}).status_code == 409


def test_watching_goes_on_where_it_stopped(alice, title_id):
    viewing = start(alice, title_id("dead-letters"), "Phone").json()
    alice.post(f"/api/playback/{viewing['id']}/progress", json={"position_s": 1234})
    stop(alice, viewing)
    again = start(alice, title_id("dead-letters"), "TV").json()
    assert (again["id"], again["position_s"], again["device"]) == (viewing["id"], 1234, "TV")
    stop(alice, again)


def test_finished_is_finished(alice, title_id):
    viewing = start(alice, title_id("small-claims"), "TV").json()
    address = f"/api/playback/{viewing['id']}/progress"
    assert alice.post(address, json={"position_s": 5000}).json()["finished"] is False
    answer = alice.post(address, json={"position_s": 99999}).json()
    assert (answer["finished"], answer["position_s"]) == (True, 5400)
    stop(alice, viewing)
    again = start(alice, title_id("small-claims"), "TV").json()
    assert again["id"] != viewing["id"]
    stop(alice, again)


def test_plan_limits_the_streams(bob, title_id):
    first = start(bob, title_id("overtime"), "Phone").json()
    response = start(bob, title_id("bees"), "TV")
    assert response.status_code == 409
    error = response.json()["error"]
    assert (error["limit"], error["active"]) == (1, 1)
    assert error["message"] == "Your plan allows 1 streams at a time, and 1 are active."
    assert [stream["device"] for stream in bob.get("/api/streams").json()["items"]] == ["Phone"]
    stop(bob, first)
    second = start(bob, title_id("bees"), "TV")
    assert second.status_code == 201
    assert stop(bob, second.json())["active_streams"] == 0


def test_one_device_takes_one_stream(bob, title_id):
    first = start(bob, title_id("overtime"), "Phone").json()
    assert start(bob, title_id("the-cellist"), "Phone").status_code == 201
    assert len(bob.get("/api/streams").json()["items"]) == 1
    stop(bob, first)


def test_refused_stream_leaves_no_viewing(bob, title_id):
    first = start(bob, title_id("overtime"), "Phone").json()
    address = f"/api/profiles/{bob.profiles[0]['id']}/history"
    before = bob.get(address).json()["total"]
    assert start(bob, title_id("two-left-feet"), "TV").status_code == 409
    assert bob.get(address).json()["total"] == before
    stop(bob, first)


def test_larger_plan_allows_more(alice, title_id):
    viewings = [start(alice, title_id("last-orbit"), device).json() for device in ("A", "B")]
    assert start(alice, title_id("last-orbit"), "C").status_code == 409
    assert len(alice.get("/api/streams").json()["items"]) == 2
    other = start(alice, title_id("last-orbit"), "A").json()
    assert stop(alice, other)["active_streams"] == 1
    last = start(alice, title_id("last-orbit"), "B").json()
    assert last["id"] == viewings[1]["id"]
    assert stop(alice, last)["active_streams"] == 0


def test_watching_needs_a_subscription(register, title_id):
    client = register("wanda")
    client.profiles = client.get("/api/profiles").json()["items"]
    response = start(client, title_id("bees"), "TV")
    assert response.status_code == 402
    assert response.json()["error"]["message"] == "Watching needs a subscription."


def test_children_do_not_see_everything(alice, title_id):
    assert start(alice, title_id("dead-letters"), "Tablet", profile=1).status_code == 403
    viewing = start(alice, title_id("bees"), "Tablet", profile=1)
    assert viewing.status_code == 201
    assert viewing.json()["profile"] == "Anton"
    stop(alice, viewing.json())


def test_what_is_not_released_is_not_watched(alice, new_title):
    assert start(alice, new_title("Unfinished Cut")["id"], "TV").status_code == 403


def test_encoded_title_has_a_source(alice, staff, new_title):
    title = new_title("Streamable", released=True)
    data = b"all the pictures of a film " * 1000
    address = f"/api/titles/{title['id']}/original"
    asset = staff.put(address, data=data, headers={"Content-Type": "video/mp4"}).json()
    body = {"asset_id": asset["id"], "codec": "zlib"}
    job = staff.post("/api/encoding/jobs", json=body).json()
    address = f"/api/encoding/jobs/{job['id']}"
    eventually(lambda: staff.get(address).json()["status"], lambda status: status == "done")
    viewing = start(alice, title["id"], "TV").json()
    assert alice.get(viewing["source"]).content == data
    stop(alice, viewing)


def test_viewings_of_others(alice, bob, title_id):
    viewing = start(alice, title_id("harbour-lights"), "TV").json()
    response = bob.post(f"/api/playback/{viewing['id']}/progress", json={"position_s": 1})
    assert response.status_code == 404
    stop(alice, viewing)


@pytest.mark.parametrize("position", [-1, "60", 1.5, True])
def test_position_is_checked(alice, title_id, position):
    viewing = start(alice, title_id("the-cellist"), "TV").json()
    address = f"/api/playback/{viewing['id']}/progress"
    assert alice.post(address, json={"position_s": position}).status_code == 400
    stop(alice, viewing)


def test_playback_is_not_read(alice):
    response = alice.get("/api/playback")
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}
    assert response.json()["error"]["status"] == 405


def test_history_shows_the_latest_first(sign_in):
    client = sign_in("carol")
    profile = client.get("/api/profiles").json()["items"][0]
    viewings = client.get(f"/api/profiles/{profile['id']}/history").json()["items"]
    assert [viewing["title"] for viewing in viewings] == ["harbour-lights", "overtime"]


def test_watchlist(alice, title_id):
    address = f"/api/profiles/{alice.profiles[0]['id']}/watchlist"
    bees = f"{address}/{title_id('bees')}"
    first = alice.put(bees)
    assert (first.status_code, first.json()) == (201, {"added": True})
    second = alice.put(bees)
    assert (second.status_code, second.json()) == (200, {"added": False})
    assert alice.get(address).json()["items"] == [{"title": "bees", "name": "Bees"}]
    assert alice.delete(bees).status_code == 204
    assert alice.delete(bees).status_code == 404


def test_watch_page(bob):
    page = bob.page("/watch/the-paper-dragon")
    assert ">Play</button>" in page
    response = bob.submit("/watch/the-paper-dragon", "/watch/the-paper-dragon", device="Laptop")
    page = bob.follow(response).text
    assert "Playing on Laptop, at 0:00:00 of 1:23:00." in page
    response = bob.submit("/watch/bees", "/watch/bees", device="TV")
    assert response.headers["Location"] == "/history"
    expected = "Your plan allows 1 streams at a time, and 1 are active. Stop one of 1 first."
    assert flashed(bob.follow(response)) == [expected]
    viewing_id = page.split("/history/")[1].split("/stop")[0]
    response = bob.submit("/history", f"/history/{viewing_id}/stop")
    assert flashed(bob.follow(response)) == ["Stopped."]
    response = bob.submit("/history", f"/history/{viewing_id}/delete")
    assert flashed(bob.follow(response)) == ["The Paper Dragon is gone from your history."]


def test_watchlist_form(bob):
    action = "/titles/the-cellist/watchlist"
    response = bob.submit("/titles/the-cellist", action)
    assert flashed(bob.follow(response)) == ["The Cellist is on your list."]
    assert "The Cellist" in bob.page("/history").split("My list")[1]
    response = bob.submit("/titles/the-cellist", action)
    assert flashed(bob.follow(response)) == ["The Cellist is off your list."]
