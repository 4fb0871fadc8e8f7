"""Where the gateway sends people on: to itself, whatever host they claimed to have asked."""

from collections.abc import Iterator

from werkzeug.test import TestResponse

from tests.gateway.stand import Stand
from validators.publishing import published

UNKNOWN = "00000000-0000-0000-0000-000000000001"


def addresses(stand: Stand) -> Iterator[str]:
    """Every address that there is, and each with a slash less, more, and doubled in each place."""
    routes = [str(rule) for rule in stand.client.application.url_map.iter_rules()]
    plain = {"/".join(map(_filled, route.split("/"))) for route in routes}
    plain |= {f"/standard/{path.rpartition('/')[0]}" for path in published()}
    for address in plain:
        yield from (address, f"{address}/", address.rstrip("/") or "/", f"/{address}")
        parts = address.split("/")
        for at in range(1, len(parts) + 1):
            yield "/".join([*parts[:at], "", *parts[at:]])
        yield f"{address}//x"


def _filled(part: str) -> str:
    if not part.startswith("<"):
        return part
    return "1.0" if "path" in part else UNKNOWN


def asked(stand: Stand, address: str) -> TestResponse:
    """As it arrives from a server, which makes no authority of two slashes."""
    environ = {"PATH_INFO": address, "HTTP_HOST": "evil.example"}
    return stand.client.get("/", environ_overrides=environ)


def test_nobody_is_sent_to_a_host_of_an_attackers_choice(stand: Stand) -> None:
    sent = {}
    for address in addresses(stand):
        answer = asked(stand, address)
        if "Location" in answer.headers:
            sent[address] = answer.headers["Location"]
    assert {"/", "/standard", "/standard/1.0", "/check"} <= sent.keys()
    assert [
        (address, location)
        for address, location in sent.items()
        if not location.startswith("/") or location.startswith("//")
    ] == []


def test_slashes_in_a_row_lead_nowhere(stand: Stand) -> None:
    for address in ("/standard//1.0/", "/v1//standards", "/check//index.html"):
        assert asked(stand, address).status_code == 404, address
