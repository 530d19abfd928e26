from conftest import flashed


def test_notifications_are_read_one_by_one(sign_in):
    client = sign_in("frank")
    before = client.get("/api/notifications").json()
    assert before["unread"] == 1
    [item] = before["items"]
    assert item == {"id": item["id"], "text": "The spring programme is out.", "read": False}
    address = f"/api/notifications/{item['id']}/read"
    assert client.post(address).json()["read"] is True
    assert client.get("/api/notifications").json()["unread"] == 0


def test_notifications_of_others(sign_in):
    item = sign_in("grace").get("/api/notifications").json()["items"][0]
    response = sign_in("frank").post(f"/api/notifications/{item['id']}/read")
    assert response.status_code == 404


def test_inbox_and_its_count_in_the_head_of_the_page(sign_in):
    client = sign_in("grace")
    page = client.page("/notifications")
    assert "Inbox (1)" in page
    assert "<b>new</b> The spring programme is out." in page
    response = client.submit("/notifications", "/notifications/read")
    page = client.follow(response)
    assert flashed(page) == ["1 marked as read."]
    assert "Inbox (" not in page.text
    assert "<b>new</b>" not in page.text


def test_mails_are_private(visitor, sign_in):
    assert visitor.get("/api/mails").status_code == 401
    assert sign_in("dave").get("/api/mails").json()["items"] == []
