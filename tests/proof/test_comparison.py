import json

from migrator.proof.comparison import ORDER, Noise, compare, noise_between
from migrator.proof.exchange import NO_ANSWER, Exchange


def exchange(method="GET", target="/", status=200, body=b"", headers=(), kind="application/json"):
    return Exchange(
        ordinal=0,
        method=method,
        target=target,
        status=status,
        headers=[("Content-Type", kind), *headers],
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
    )


def compared(left, right, noise=frozenset()):
    return compare(left, right, set(noise), "http://127.0.0.1:1")


def fields(result):
    return [(each.field, each.monolith, each.services) for each in result.differences]


def test_equal_answers_have_no_differences():
    answers = [exchange(body={"a": [1, {"b": None}]}), exchange("POST", "/x", 201)]
    result = compared(answers, answers)
    assert (result.requests, result.equal, result.differences) == (2, 2, [])


def test_each_differing_field_is_named():
    left = exchange(
        body={"items": [{"title": "A", "n": 1}, {"title": "B"}]}, headers=[("X-A", "1")]
    )
    right = exchange(body={"items": [{"title": "A", "n": 2}]}, status=500)
    assert fields(compared([left], [right])) == [
        ("body.items[0].n", "1", "2"),
        ("body.items[1].title", '"B"', "(absent)"),
        ("header.x-a", "1", "(absent)"),
        ("status", "200", "500"),
    ]


def test_where_the_monolith_breaks_off_a_gateway_answers():
    broken = exchange(status=NO_ANSWER, body=b"RemoteDisconnected")
    refused = exchange(status=503, headers=[("Retry-After", "1")])
    assert compared([broken], [refused]).equal == 1
    assert fields(compared([refused], [broken]))
    assert fields(compared([broken], [exchange(status=500)]))


def test_html_is_compared_by_element_and_attribute():
    page = '<form><input name="csrf" value="{}"><p>Hello <b>{}</b></p></form>'
    left = exchange(body=page.format("t1", "Ann").encode(), kind="text/html; charset=utf-8")
    right = exchange(body=page.format("t2", "Bob").encode(), kind="text/html; charset=utf-8")
    found = {field.rpartition("/")[2]: (a, b) for field, a, b in fields(compared([left], [right]))}
    assert found == {"input[0](csrf)@value": ("t1", "t2"), "text[0]": ("Ann", "Bob")}


def test_what_varies_on_the_monolith_alone_is_noise_under_its_name_for_all_members():
    def run(seed):
        return [
            exchange("GET", f"/t/{n}", body={"l": [{"at": f"{seed}{n}", "n": n}]}) for n in (1, 2)
        ]

    noise = noise_between(run("a"), run("b"), "")
    assert noise == {Noise(request="GET /t/*", field="body.l[*].at")}
    assert compared(run("a"), run("c"), noise).equal == 2


def test_noise_must_stay_of_its_kind():
    noise = {Noise(request="GET /", field="body.at")}
    left, right = exchange(body={"at": "2020"}), exchange(body={"at": None})
    assert fields(compared([left], [right], noise)) == [("body.at", '"2020"', "null")]


def test_noise_that_the_monolith_shows_in_two_kinds_may_be_of_either():
    old, new = exchange(body={"at": "2020"}), exchange(body={"at": None})
    noise = noise_between([old], [new], "")
    assert fields(compared([exchange(body={"at": "2021"})], [new], noise)) == []
    numbered = exchange(body={"at": 1})
    assert fields(compared([old], [numbered], noise)) == [("body.at", '"2020"', "1")]


def test_cookies_are_compared_by_name_and_attribute():
    left = exchange(headers=[("Set-Cookie", "s=abc; Path=/; HttpOnly")])
    right = exchange(headers=[("Set-Cookie", "s=abd; Path=/")])
    assert fields(compared([left], [right])) == [
        ("cookie.s.httponly", "True", "(absent)"),
        ("cookie.s.value", "abc", "abd"),
    ]


def test_polling_counts_as_its_last_answer():
    waiting = exchange(target="/job", body={"state": "running"})
    done = exchange(target="/job", body={"state": "done"})
    result = compared([waiting, waiting, done], [waiting, done])
    assert (result.requests, result.equal, result.polls, result.differences) == (1, 1, 2, [])


def test_what_work_beside_requests_changes_may_be_answered_before_or_after():
    def bill(state, method="GET", note="a"):
        return exchange(method, "/bill", body={"state": state, "note": note})

    monolith = [bill("open", "POST"), bill("open"), bill("late")]
    noise = noise_between(monolith, monolith, "")
    assert [(each.request, each.field) for each in noise] == [("(any)", 'state: "late" or "open"')]
    assert compared(monolith, [bill("late", "POST"), bill("late")], noise).equal == 2
    for wrong in (bill("paid", "POST"), bill("late", "POST", note="b")):
        assert compared(monolith, [wrong, bill("late")], noise).equal == 1
    written = [bill("open"), bill("late", "POST"), bill("late")]
    assert not noise_between(written, written, "")


def test_a_request_on_one_side_only_is_a_difference():
    result = compared([exchange(), exchange("POST", "/x")], [exchange()])
    assert [(each.request, each.field) for each in result.differences] == [("POST /x", "request")]


def test_the_base_url_is_the_same_on_both_sides():
    left = exchange(headers=[("Location", "http://127.0.0.1:1/next")])
    right = exchange(headers=[("Location", "/next")])
    assert fields(compared([left], [right])) == [("header.location", "{base}/next", "/next")]


def test_requests_of_one_shape_are_recognised_by_their_body():
    def webhook(invoice, new):
        made = exchange("POST", "/hook", body={"new": new})
        made.request_body = invoice
        return made

    left = [webhook(b"1", True), webhook(b"2", True), webhook(b"3", True)]
    right = [webhook(b"2", True), webhook(b"3", True)]
    assert [each.field for each in compared(left, right).differences] == ["request"]


def test_what_an_outside_system_sends_may_come_in_another_order():
    def webhook(invoice, new):
        made = exchange("POST", "/hook", body={"new": new})
        made.request_body = invoice
        made.request_headers = [("User-Agent", "provider")]
        return made

    tests = [exchange(target=f"/{number}") for number in range(9)]
    left = [*tests[:3], webhook(b"1", True), webhook(b"1", False), *tests[3:], webhook(b"2", True)]
    right = [webhook(b"2", True), *tests, webhook(b"1", True), webhook(b"1", False)]
    result = compared(left, right)
    assert (result.requests, result.equal, result.differences) == (12, 12, [])


def page(*groups):
    lists = "".join(f"<ul>{''.join(f'<li>{each}</li>' for each in group)}</ul>" for group in groups)
    return [exchange(body=lists.encode(), kind="text/html")]


def test_an_order_that_varies_is_noise_and_what_is_in_it_is_not():
    brand, color, size = ("A", "B"), ("red",), ("S", "M", "L")
    noise = noise_between(page(brand, color, size), page(color, brand, size), "")
    assert noise == {Noise(request="GET /", field=ORDER)}
    left = page(brand, color, size)
    assert fields(compared(left, page(size, brand, color), noise)) == []
    assert fields(compared(left, page(size, brand, color))) != []
    found = fields(compared(left, page(size, brand, ("blue",)), noise))
    assert [each[1:] for each in found] == [("red", "blue")]
    assert fields(compared(left, page(size, brand), noise)) != []


def test_values_that_vary_in_an_order_that_does_are_set_aside_by_name():
    def run(*items):
        return [exchange(body=[{"name": name, "at": at} for name, at in items])]

    noise = noise_between(run(("a", 1), ("b", 2)), run(("b", 3), ("a", 4)), "")
    assert {each.field for each in noise} == {"body[*].at", ORDER}
    assert fields(compared(run(("a", 1), ("b", 2)), run(("b", 5), ("a", 6)), noise)) == []
    assert fields(compared(run(("a", 1), ("b", 2)), run(("b", 5), ("c", 6)), noise)) == [
        ("body[*].name", '"a"', '"c"')
    ]


def test_keys_that_are_made_up_anew_are_alike_and_what_they_hold_is_not():
    def run(*tokens, last=2):
        return [
            exchange(body={"sent": dict(zip(tokens, (1, last), strict=True)), "known": {"a": 1}})
        ]

    first = run("gCDsQC5ErbUK3jmuxdKNPDoA", "RJ-vligMcwQhgfdELmGwQR5E")
    second = run("hNWtdEGD5Uc3DGwTSUercLDA", "_DvVwmUOjYY0eCxqrZYUi1sy")
    noise = noise_between(first, second, "")
    third = ("nFaQLk6THl7m6eblBdL0bTDx", "s9CDsFj1KvAEmmhr12VTN3NZ")
    assert fields(compared(first, run(*third), noise)) == []
    assert fields(compared(first, run(*third, last=3), noise)) == [("body.sent.*", "2", "3")]
    assert len(fields(compared(first, run(*third)))) == 4
