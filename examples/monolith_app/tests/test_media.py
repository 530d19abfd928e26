import hashlib
import io

import pytest
import requests
from conftest import eventually, flashed

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c"
    "6360000002000001e221bc330000000049454e44ae426082"
)


def film(size: int, seed: str) -> bytes:
    """Bytes that compress a little, and are always the same."""
    block = b"".join(hashlib.sha256(f"{seed}{n}".encode()).digest() for n in range(512))
    return (block * (size // len(block) + 1))[:size]


def upload(client, title: dict, data: bytes, content_type: str = "video/mp4", **query):
    return client.put(
        f"/api/titles/{title['id']}/original",
        params=query,
        data=data,
        headers={"Content-Type": content_type},
    )


def encode(client, asset: dict, codec: str, **more) -> dict:
    body = {"asset_id": asset["id"], "codec": codec, **more}
    response = client.post("/api/encoding/jobs", json=body)
    assert response.status_code == 202, response.text
    return response.json()


def finished(client, job: dict) -> dict:
    return eventually(
        lambda: client.get(f"/api/encoding/jobs/{job['id']}").json(),
        lambda job: job["status"] in ("done", "failed"),
    )


def test_original_comes_back_as_it_was_sent(new_title, staff):
    data = film(3_000_000, "large")
    response = upload(staff, new_title("Large"), data, filename="large.mp4")
    assert response.status_code == 201
    asset = response.json()
    assert (asset["size"], asset["status"]) == (3_000_000, "uploaded")
    assert asset["sha256"] == hashlib.sha256(data).hexdigest()
    assert asset["uploaded_by"] == "Sam Staff"
    response = staff.get(f"/api/assets/{asset['id']}/original")
    assert response.content == data
    assert response.headers["Content-Type"] == "video/mp4"
    assert response.headers["Content-Disposition"] == "attachment; filename=large.mp4"


def test_part_of_an_original(new_title, staff):
    data = film(100_000, "part")
    asset = upload(staff, new_title("Part"), data).json()
    address = f"/api/assets/{asset['id']}/original"
    response = staff.get(address, headers={"Range": "bytes=1000-1999"})
    assert response.status_code == 206
    assert response.content == data[1000:2000]
    assert response.headers["Content-Range"] == "bytes 1000-1999/100000"
    response = staff.get(address, headers={"Range": "bytes=200000-"})
    assert response.status_code == 416


def test_unchanged_original_is_not_sent_again(new_title, staff):
    asset = upload(staff, new_title("Unchanged"), film(5000, "same")).json()
    address = f"/api/assets/{asset['id']}/original"
    etag = staff.get(address).headers["ETag"]
    response = staff.get(address, headers={"If-None-Match": etag})
    assert (response.status_code, response.content) == (304, b"")


def test_head_of_an_original(new_title, staff):
    asset = upload(staff, new_title("Head"), film(5000, "head")).json()
    response = staff.head(f"/api/assets/{asset['id']}/original")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["Content-Length"] == "5000"


def test_empty_original(new_title, staff):
    response = upload(staff, new_title("Empty"), b"")
    assert response.status_code == 409
    assert response.json()["error"]["message"] == "The file is empty."


def test_uploads_are_for_staff(new_title, sign_in, visitor):
    title = new_title("Forbidden")
    assert upload(sign_in("grace"), title, b"x").status_code == 403
    assert upload(visitor, title, b"x").status_code == 401


@pytest.mark.parametrize("codec", ["zlib", "lzma"])
def test_encoding_makes_it_smaller_and_decoding_restores_it(new_title, staff, codec):
    data = film(1_000_000, codec)
    asset = upload(staff, new_title(f"Encoded {codec}"), data, "video/webm").json()
    job = finished(staff, encode(staff, asset, codec))
    assert (job["status"], job["attempts"], job["error"]) == ("done", 1, "")
    asset = staff.get(f"/api/assets/{asset['id']}").json()
    assert asset["status"] == "ready"
    [rendition] = asset["renditions"]
    assert rendition["codec"] == codec
    assert rendition["size"] < len(data) / 2
    encoded = staff.get(f"/api/renditions/{rendition['id']}/stream").content
    assert len(encoded) == rendition["size"]
    assert hashlib.sha256(encoded).hexdigest() == rendition["sha256"]
    decoded = staff.get(f"/api/renditions/{rendition['id']}/decoded")
    assert decoded.content == data
    assert decoded.headers["Content-Type"] == "video/webm"


def test_part_of_a_rendition(new_title, staff):
    asset = upload(staff, new_title("Skipped Through"), film(200_000, "skip")).json()
    finished(staff, encode(staff, asset, "zlib"))
    [rendition] = staff.get(f"/api/assets/{asset['id']}").json()["renditions"]
    address = f"/api/renditions/{rendition['id']}/stream"
    whole = staff.get(address).content
    response = staff.get(address, headers={"Range": "bytes=-100"})
    assert (response.status_code, response.content) == (206, whole[-100:])


def test_encoding_again_replaces_the_rendition(new_title, staff):
    asset = upload(staff, new_title("Twice"), film(50_000, "twice")).json()
    finished(staff, encode(staff, asset, "zlib"))
    finished(staff, encode(staff, asset, "zlib"))
    renditions = staff.get(f"/api/assets/{asset['id']}").json()["renditions"]
    assert [rendition["codec"] for rendition in renditions] == ["zlib"]


def test_unknown_codec(new_title, staff):
    asset = upload(staff, new_title("Odd Codec"), b"film").json()
    response = staff.post("/api/encoding/jobs", json={"asset_id": asset["id"], "codec": "av1"})
    assert response.status_code == 409
    expected = "Unknown codec av1; there are lzma, zlib."
    assert response.json()["error"]["message"] == expected


def test_held_job_is_started_or_cancelled(new_title, staff):
    asset = upload(staff, new_title("Held"), film(10_000, "held")).json()
    first = encode(staff, asset, "zlib", hold=True)
    second = encode(staff, asset, "lzma", hold=True)
    assert (first["status"], second["status"]) == ("held", "held")
    cancelled = staff.post(f"/api/encoding/jobs/{first['id']}/cancel").json()
    assert cancelled["status"] == "cancelled"
    assert staff.post(f"/api/encoding/jobs/{first['id']}/start").status_code == 409
    assert staff.post(f"/api/encoding/jobs/{second['id']}/start").json()["status"] == "queued"
    assert finished(staff, second)["status"] == "done"
    listed = staff.get("/api/encoding/jobs", params={"status": "cancelled"}).json()["items"]
    assert first["id"] in [job["id"] for job in listed]


def test_job_fails_without_its_original(new_title, staff):
    asset = upload(staff, new_title("Purged"), film(10_000, "purged")).json()
    job = encode(staff, asset, "zlib", hold=True)
    purged = staff.delete(f"/api/assets/{asset['id']}/original").json()
    assert purged["status"] == "purged"
    assert staff.get(f"/api/assets/{asset['id']}/original").status_code == 410
    staff.post(f"/api/encoding/jobs/{job['id']}/start")
    job = finished(staff, job)
    assert (job["status"], job["error"]) == ("failed", "the original is gone")


def test_encoding_page(new_title, staff, sign_in):
    asset = upload(staff, new_title("On the Page"), film(10_000, "page")).json()
    encode(staff, asset, "zlib", hold=True)
    page = staff.page("/studio/encoding")
    assert "<td>On the Page</td><td>zlib</td><td>held</td><td>Sam Staff</td>" in page
    assert sign_in("grace").get("/studio/encoding").status_code == 403


def test_artwork_has_a_placeholder(visitor, title_id):
    response = visitor.get(f"/artwork/{title_id('overtime')}")
    assert response.headers["Content-Type"].startswith("image/svg+xml")
    assert "Overtime" in response.text


def test_artwork_is_uploaded_by_a_form(new_title, staff, visitor):
    title = new_title("With Artwork", released=True)
    page, action = "/titles/with-artwork", f"/studio/titles/{title['id']}/artwork"
    files = {"artwork": ("pixel.png", io.BytesIO(PIXEL), "image/png")}
    response = staff.submit(page, action, files=files)
    assert flashed(staff.follow(response)) == ["With Artwork has new artwork."]
    response = visitor.get(f"/artwork/{title['id']}")
    assert (response.headers["Content-Type"], response.content) == ("image/png", PIXEL)


def test_artwork_is_checked(new_title, staff):
    title = new_title("Without Artwork")
    page, action = "/titles/without-artwork", f"/studio/titles/{title['id']}/artwork"
    files = {"artwork": ("song.mp3", io.BytesIO(b"la la"), "audio/mpeg")}
    response = staff.submit(page, action, files=files)
    assert flashed(staff.follow(response)) == ["Artwork must be PNG, JPEG or SVG."]
    files = {"artwork": ("large.png", io.BytesIO(film(300_000, "large")), "image/png")}
    assert staff.submit(page, action, files=files).status_code == 413
    assert staff.submit(page, action).status_code == 400


def test_upload_needs_the_token(staff, title_id):
    files = {"artwork": ("pixel.png", io.BytesIO(PIXEL), "image/png")}
    response: requests.Response = staff.post(
        f"/studio/titles/{title_id('bees')}/artwork", files=files
    )
    assert response.status_code == 400
    assert "The form has expired" in response.text
