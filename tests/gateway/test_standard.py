"""A gateway publishes the standard: the exported bytes, open to everyone, cached with care."""

import json

import pytest

from gateway.web.standard import MAX_AGE, MEDIA_TYPES, media_type
from tests.gateway.stand import Stand
from validators.publishing import published
from validators.standard import AVAILABLE, load_standard


def test_every_file_is_served_as_it_is_exported(stand: Stand) -> None:
    for path, data in published().items():
        answer = stand.client.get(f"/standard/{path}")
        assert answer.status_code == 200, path
        assert answer.data == data, path
        assert answer.headers["Content-Type"] == media_type(path)


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/standard/", "index.html"),
        ("/standard/1.0/", "1.0/index.html"),
        ("/standard/1.0/rules", "1.0/rules.html"),
        ("/standard/1.0/records/CASE", "1.0/records/CASE.html"),
        ("/standard/1.0/codelists/", "1.0/codelists/index.html"),
    ],
)
def test_page_has_a_short_address(stand: Stand, address: str, path: str) -> None:
    assert stand.client.get(address).data == published()[path]


def test_the_link_of_a_report_leads_to_its_rule(stand: Stand) -> None:
    address, _, anchor = load_standard().rule_path("CT-030").partition("#")
    assert f'id="{anchor}"' in stand.client.get(address).get_data(as_text=True)


def test_the_bare_address_leads_to_something_to_read(stand: Stand) -> None:
    answer = stand.client.get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/standard/")


@pytest.mark.parametrize("address", ["/standard", "/standard/1.0", "/standard/1.0/codelists"])
def test_folder_without_its_slash_is_sent_on(stand: Stand, address: str) -> None:
    answer = stand.client.get(address)
    assert answer.status_code == 308
    assert answer.headers["Location"].removeprefix("http://localhost") == f"{address}/"


def test_versions_are_listed(stand: Stand) -> None:
    page = stand.client.get("/standard/").get_data(as_text=True)
    assert all(f'href="{version}/index.html"' in page for version in AVAILABLE)


@pytest.mark.parametrize(
    "path",
    [
        *(
            "2.0/",
            "1.0/nothing",
            "1.0/rules.html/",
            "1.0/CASE",
            "1.0//rules",
            "1.0/records",
        ),
        *(
            "1.0/../../setup.cfg",
            "..%2f..%2fsetup.cfg",
            "1.0/%00",
            "1.0/records/../../../etc/passwd",
        ),
    ],
)
def test_what_is_not_published_is_a_problem(stand: Stand, path: str) -> None:
    answer = stand.client.get(f"/standard/{path}")
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert json.loads(answer.data)["code"] == "not-found"
    assert "ETag" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


def test_copy_is_kept_and_asked_for_by_its_etag(stand: Stand) -> None:
    first = stand.client.get("/standard/1.0/rules")
    assert first.headers["Cache-Control"] == f"public, max-age={MAX_AGE}"
    again = stand.client.get(
        "/standard/1.0/rules", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    other = stand.client.get("/standard/1.0/rules", headers={"If-None-Match": '"other"'})
    assert other.data == first.data
    assert stand.client.get("/standard/1.0/").headers["ETag"] != first.headers["ETag"]
    head = stand.client.head("/standard/1.0/rules")
    assert (head.data, head.headers["ETag"]) == (b"", first.headers["ETag"])
    assert int(head.headers["Content-Length"]) == len(first.data)


def test_policy_allows_the_one_style_sheet_and_nothing_else(stand: Stand) -> None:
    headers = stand.client.get("/standard/1.0/rules").headers
    allowed = dict(each.split(" ", 1) for each in headers["Content-Security-Policy"].split("; "))
    assert allowed.pop("style-src") == "'self'"
    assert set(allowed) == {"default-src", "base-uri", "form-action", "frame-ancestors"}
    assert set(allowed.values()) == {"'none'"}
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_it_can_be_read_and_nothing_more(stand: Stand) -> None:
    assert stand.client.post("/standard/1.0/rules").status_code == 405


def test_every_kind_of_file_has_a_media_type() -> None:
    used = {media_type(path) for path in published()}
    assert used == {*MEDIA_TYPES.values(), "application/csvm+json"}
