import pytest
from conftest import eventually


def first_profile(client) -> int:
    return client.get("/api/profiles").json()["items"][0]["id"]


@pytest.fixture
def viewer(register):
    def viewer(name: str):
        client = register(name)
        body = {"plan": "basic", "card_token": "tok_visa"}
        assert client.post("/api/billing/subscription", json=body).status_code == 201
        client.profile = first_profile(client)
        return client

    return viewer


def watch(client, title_id: int, position_s: int) -> None:
    body = {"profile_id": client.profile, "title_id": title_id, "device": "TV"}
    viewing = client.post("/api/playback", json=body).json()
    address = f"/api/playback/{viewing['id']}"
    response = client.post(f"{address}/progress", json={"position_s": position_s})
    assert response.status_code == 200
    client.post(f"{address}/stop")


def test_interest_grows_with_watching(viewer, title_id):
    client = viewer("xenia")
    address = f"/api/profiles/{client.profile}/interests"
    assert client.get(address).json()["items"] == []
    watch(client, title_id("last-orbit"), 60)
    watch(client, title_id("last-orbit"), 120)
    expected = [{"genre": "science-fiction", "score": 2}]
    eventually(lambda: client.get(address).json()["items"], lambda items: items == expected)


def test_liked_genres_come_first_and_seen_titles_not(viewer, title_id):
    client = viewer("yves")
    watch(client, title_id("bees"), 60)
    address = f"/api/profiles/{client.profile}/interests"
    eventually(lambda: client.get(address).json()["items"], bool)
    titles = client.get(f"/api/profiles/{client.profile}/recommendations").json()["items"]
    slugs = [title["slug"] for title in titles]
    assert slugs[0] == "beneath-the-ice"
    assert "bees" not in slugs
    assert len(slugs) == 5


def test_ratings(sign_in, title_id, visitor):
    grace, frank = sign_in("grace"), sign_in("frank")
    title = title_id("the-paper-dragon")
    assert visitor.get(f"/api/titles/{title}/rating").json() == {"average": None}
    for client, stars, average in ((grace, 5, 5.0), (frank, 2, 3.5), (grace, 4, 3.0)):
        address = f"/api/profiles/{first_profile(client)}/ratings/{title}"
        answer = client.put(address, json={"stars": stars}).json()
        assert answer == {"stars": stars, "average": average}
    assert visitor.get(f"/api/titles/{title}/rating").json() == {"average": 3.0}


def test_rating_is_checked(sign_in, title_id):
    client = sign_in("grace")
    address = f"/api/profiles/{first_profile(client)}/ratings/{title_id('bees')}"
    assert client.put(address, json={"stars": 0}).status_code == 400
    assert client.put(address, json={"stars": 9}).json()["stars"] == 5


def test_popular_titles(visitor):
    items = visitor.get("/api/popular").json()["items"]
    views = [item["views"] for item in items]
    assert views == sorted(views, reverse=True)
    assert len(items) == 5


def test_page_for_you(sign_in, visitor):
    page = sign_in("grace").page("/for-you")
    assert "<h1>For Grace</h1>" in page
    assert "<h2>Popular</h2>" in page
    assert visitor.get("/for-you", allow_redirects=False).status_code == 302
