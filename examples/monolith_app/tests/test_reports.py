def test_engagement(staff):
    rows = staff.get("/api/reports/engagement").json()["items"]
    by_member = {row["member"]: row for row in rows}
    carol = by_member["carol@stream.example"]
    assert (carol["plan"], carol["viewings"], carol["watched_s"]) == ("Family", 2, 12780)
    assert (carol["first_title"], carol["revenue_cents"]) == ("Harbour Lights", 1499)
    watched = [row["watched_s"] for row in rows]
    assert watched == sorted(watched, reverse=True)


def test_engagement_of_what_children_may_see(staff):
    query = {"max_age": 6}
    rows = staff.get("/api/reports/engagement", params=query).json()["items"]
    carol = next(row for row in rows if row["member"] == "carol@stream.example")
    assert (carol["viewings"], carol["first_title"]) == (1, "Overtime")


def test_engagement_as_a_table(staff):
    response = staff.get("/reports/engagement.csv")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    lines = response.text.splitlines()
    assert lines[0] == "member,plan,viewings,watched_s,first_title,revenue_cents"
    assert "carol@stream.example,Family,2,12780,Harbour Lights,1499" in lines


def test_engagement_page(staff):
    page = staff.page("/reports/engagement")
    row = "<td>carol@stream.example</td><td>Family</td><td>2</td><td>3:33:00</td>"
    assert row in page


def test_genres(staff):
    rows = staff.get("/api/reports/genres").json()["items"]
    assert next(row for row in rows if row["genre"] == "Drama")["viewings"] >= 5


def test_reports_are_for_staff(sign_in, visitor):
    assert sign_in("grace").get("/api/reports/engagement").status_code == 403
    assert sign_in("grace").get("/reports/engagement").status_code == 403
    assert visitor.get("/reports/engagement", allow_redirects=False).status_code == 302
