from conftest import eventually, flashed


def test_titles_are_listed_in_pages(visitor):
    first = visitor.get("/api/titles").json()
    second = visitor.get("/api/titles", params={"page": 2}).json()
    assert (first["page"], first["pages"], len(first["items"])) == (1, 2, 10)
    names = [title["name"] for title in first["items"] + second["items"]]
    assert names == sorted(names)
    assert len(names) == first["total"]


def test_page_beyond_the_end(visitor):
    assert visitor.get("/api/titles", params={"page": 99}).status_code == 404


def test_titles_of_a_genre(visitor):
    titles = visitor.get("/api/titles", params={"genre": "documentary"}).json()["items"]
    assert [title["slug"] for title in titles] == ["bees", "beneath-the-ice"]


def test_titles_are_searched(visitor):
    titles = visitor.get("/api/titles", params={"q": "ORBIT"}).json()["items"]
    assert [title["slug"] for title in titles] == ["last-orbit"]


def test_title(visitor, title_id):
    title = visitor.get(f"/api/titles/{title_id('small-claims')}").json()
    assert title["genres"] == ["comedy", "crime"]
    assert (title["year"], title["runtime_s"], title["released"]) == (2023, 5400, True)


def test_unknown_title(visitor):
    response = visitor.get("/api/titles/999")
    assert response.status_code == 404
    assert response.json()["error"]["status"] == 404


def test_genres_count_their_titles(visitor):
    genres = visitor.get("/api/genres").json()["items"]
    assert [genre["slug"] for genre in genres] == [
        "comedy",
        "crime",
        "documentary",
        "drama",
        "family",
        "science-fiction",
    ]
    assert genres[0] == {"slug": "comedy", "name": "Comedy", "titles": 3}


def test_adding_titles_is_for_staff(sign_in, visitor):
    body = {"name": "Mine", "year": 2025, "runtime_s": 60, "genres": []}
    assert sign_in("carol").post("/api/titles", json=body).status_code == 403
    assert visitor.post("/api/titles", json=body).status_code == 401


def test_title_is_added_and_changed(new_title, staff):
    title = new_title("A Draft", genres=("crime", "drama"))
    assert (title["slug"], title["released"]) == ("a-draft", False)
    changes = {"synopsis": "Still a draft.", "genres": ["comedy"]}
    changed = staff.patch(f"/api/titles/{title['id']}", json=changes).json()
    assert (changed["synopsis"], changed["genres"]) == ("Still a draft.", ["comedy"])
    assert staff.get(f"/api/titles/{title['id']}").json() == changed


def test_titles_are_checked(staff):
    body = {"name": "Odd", "year": "2025", "runtime_s": 60, "genres": ["drama"]}
    assert staff.post("/api/titles", json=body).status_code == 400
    body = {"name": "Odd", "year": 2025, "runtime_s": 60, "genres": ["opera"]}
    response = staff.post("/api/titles", json=body)
    assert response.status_code == 409
    assert response.json()["error"]["message"] == "Unknown genre: opera."


def test_body_must_be_json(staff):
    response = staff.post("/api/titles", data="name=Odd")
    assert response.status_code == 415
    response = staff.post("/api/titles", data="{", headers={"Content-Type": "application/json"})
    assert response.status_code == 400


def test_draft_is_deleted(new_title, staff):
    title = new_title("Never Made", genres=("drama", "family"))
    assert staff.put(f"/api/titles/{title['id']}/follow").status_code == 201
    assert staff.delete(f"/api/titles/{title['id']}").status_code == 204
    assert staff.get(f"/api/titles/{title['id']}").status_code == 404
    assert staff.get("/api/follows").json()["items"] == []


def test_released_title_is_not_deleted(staff, title_id):
    assert staff.delete(f"/api/titles/{title_id('bees')}").status_code == 409


def test_release_tells_everyone_who_waits(staff, visitor, sign_in):
    upcoming = next(t for t in range(1, 30) if is_winter_harvest(visitor, t))
    answer = staff.post(f"/api/titles/{upcoming}/release").json()
    assert answer["released"] is True
    assert len(answer["notifications"]) == len(set(answer["notifications"])) == 3
    for name, notification in zip(("alice", "bob", "carol"), answer["notifications"], strict=True):
        told = sign_in(name).get("/api/notifications").json()["items"]
        texts = {item["id"]: item["text"] for item in told}
        assert texts[notification] == "Winter Harvest is here. Enjoy!"
    assert staff.post(f"/api/titles/{upcoming}/release").status_code == 409


def is_winter_harvest(visitor, title_id: int) -> bool:
    title = visitor.get(f"/api/titles/{title_id}")
    return title.ok and title.json()["slug"] == "winter-harvest"


def test_following(new_title, sign_in):
    client = sign_in("carol")
    title = new_title("Soon")
    address = f"/api/titles/{title['id']}/follow"
    assert client.put(address).status_code == 201
    assert client.put(address).status_code == 201
    followed = [follow["title"] for follow in client.get("/api/follows").json()["items"]]
    assert followed.count("soon") == 1
    assert client.delete(address).status_code == 204
    followed = [follow["title"] for follow in client.get("/api/follows").json()["items"]]
    assert "soon" not in followed


def test_following_what_is_released(sign_in, title_id):
    assert sign_in("carol").put(f"/api/titles/{title_id('bees')}/follow").status_code == 409


def test_front_page_shows_a_title_as_soon_as_it_is_released(visitor, new_title, staff):
    assert "Fresh Paint" not in visitor.page("/")
    title = new_title("Fresh Paint", genres=("comedy",))
    assert "Fresh Paint" not in visitor.page("/")
    staff.post(f"/api/titles/{title['id']}/release")
    eventually(lambda: visitor.page("/"), lambda page: "Fresh Paint" in page)
    staff.patch(f"/api/titles/{title['id']}", json={"name": "Wet Paint"})
    eventually(lambda: visitor.page("/"), lambda page: "Wet Paint" in page)


def test_title_page(visitor):
    page = visitor.page("/titles/harbour-lights")
    assert "<h1>Harbour Lights</h1>" in page
    assert '<a href="/genres/drama">Drama</a>' in page
    assert "1:57:00" in page
    assert 'href="/watch/harbour-lights"' in page


def test_unknown_page(visitor):
    response = visitor.get("/titles/nothing")
    assert response.status_code == 404
    assert "<h1>404 Not Found</h1>" in response.text
    assert response.headers["Content-Type"].startswith("text/html")


def test_genre_page(visitor):
    page = visitor.page("/genres/documentary")
    assert page.index("Bees") < page.index("Beneath the Ice")


def test_search_page(visitor):
    assert "Last Orbit" in visitor.page("/search?q=orbit")
    assert "Nothing found." in visitor.page("/search?q=xyzzy")
    assert "&lt;b&gt;" in visitor.page("/search?q=<b>")


def test_follow_form(new_title, sign_in):
    new_title("Later")
    client = sign_in("carol")
    response = client.submit("/titles/later", "/titles/later/follow")
    page = client.follow(response)
    assert flashed(page) == ["We will tell you when Later is here."]
    assert "Do not tell me" in page.text
    response = client.submit("/titles/later", "/titles/later/unfollow")
    assert flashed(client.follow(response)) == ["We will keep quiet."]


def test_studio(staff, sign_in):
    assert sign_in("carol").get("/studio").status_code == 403
    fields = {"name": "Made by Hand", "year": "2025", "runtime_s": "90", "genres": ["drama"]}
    response = staff.submit("/studio", "/studio/titles", **fields)
    page = staff.follow(response)
    assert flashed(page) == ["Made by Hand is planned."]
    title_id = staff.page("/studio").split("Made by Hand")[1].split("/studio/titles/")[1]
    title_id = title_id.split("/")[0]
    response = staff.submit("/studio", f"/studio/titles/{title_id}/release")
    expected = ["Made by Hand is released; 0 members were told."]
    assert flashed(staff.follow(response)) == expected
