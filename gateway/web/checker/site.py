"""The page as it was built, read from its folder: every file held against the list of digests.

Refuses a folder that is not whole, and one that was built from other `validators` than this gateway
checks by: the page would give other verdicts. Whoever hosts the page can change page and list
together; the list is for damage and mix-ups, and for people who compare it with one of their own.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.web.checker.packing import ARCHIVE, pack_validators

DIGESTS = "SHA256SUMS"
"""The list, as `sha256sum` writes and checks it."""

INDEX = "index.html"

_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)?)")


class SiteRefused(Exception):
    """The folder does not hold a page that may be offered; the message says why."""


@dataclass(frozen=True, slots=True)
class Site:
    """The files of the page by their address below /check/, with their digests."""

    files: Mapping[str, bytes]
    digests: Mapping[str, str]

    @classmethod
    def read(cls, folder: Path) -> "Site":
        """Return what `make checker` built; raises SiteRefused."""
        listing = _read(folder, DIGESTS)
        listed = parse_digests(listing)
        files = {name: _read(folder, name) for name in listed}
        damaged = [name for name, data in files.items() if digest_of(data) != listed[name]]
        if damaged or INDEX not in files:
            raise SiteRefused(f"not whole: {', '.join(damaged) or INDEX}")
        if digest_of(pack_validators()) not in _archives(listed):
            raise SiteRefused(f"{ARCHIVE} is of another version than this gateway")
        digests = {**listed, DIGESTS: digest_of(listing)}
        return cls({**files, DIGESTS: listing}, digests)


def parse_digests(listing: bytes) -> dict[str, str]:
    """Return the digests by name; raises SiteRefused for a line that is none."""
    found = {}
    for line in listing.decode("ascii", "replace").splitlines():
        match = _LINE.fullmatch(line)
        # Names become files of the folder, so no name may lead out of it.
        if match is None or ".." in match[2].split("/"):
            raise SiteRefused(f"{DIGESTS} is not a list of digests")
        found[match[2]] = match[1]
    return found


def digest_of(data: bytes) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def _archives(listed: Mapping[str, str]) -> set[str]:
    return {digest for name, digest in listed.items() if name.rpartition("/")[2] == ARCHIVE}


def _read(folder: Path, name: str) -> bytes:
    try:
        return folder.joinpath(*name.split("/")).read_bytes()
    except OSError as error:
        raise SiteRefused(f"{name} cannot be read") from error
