"""What can only be read: the help, the published standard, and the gateway's keys."""

from collections.abc import Mapping
from functools import cache

from validators.publishing import published
from validators.standard import load_standard
from validators.templates import as_csv

HELP = b"""\
The submission gateway for the Child Trafficking Data Standard.

/inbox     Put the package here, encrypted and signed (.pgp or .asc). Once your
           client has been told that it arrived, it is safe, and it counts.
           A file that broke off can be continued (reput, append). A temporary
           name that is changed at the end is fine.
/outbox    Promises at once, receipts and reports some seconds later; just list
           it again. A promise is signed: the receipt will come, within a day.
           report.pgp tells the values as well; only your agency's key opens it.
           status.json lists what you sent and what became of it; it and
           report.json are for programs.
/sandbox   A package put here is judged and never counted. Its report is in
           /outbox, too.
/standard  The standard, its code lists, templates, and the gateway's key.

`gateway package` makes a package; section 3 of the standard says what is in
one. Encrypt it to /standard/gateway-certificate.asc, and compare the
fingerprint of that with the one in your letter.

Nothing that was put here can be read back or changed. To correct a return,
send a replacement.
"""

_FOR_BROWSERS = (".html", ".css")


@cache
def standard_files() -> Mapping[str, bytes]:
    """The published standard by path, without what only a browser can show; and empty tables.

    No workbooks: each has unused ids of its own, and two agencies must not get the same.
    """
    files = {path: data for path, data in published().items() if not path.endswith(_FOR_BROWSERS)}
    records = load_standard().records
    return files | {f"templates/{kind}.csv": as_csv(records[kind], ()) for kind in records}


class Shelf:
    """Files by their path, and the folders that these make."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = dict(files)
        self._folders: dict[str, set[str]] = {"": set()}
        for path in self._files:
            parts = path.split("/")
            for depth, name in enumerate(parts):
                self._folders.setdefault("/".join(parts[:depth]), set()).add(name)

    def file(self, path: str) -> bytes | None:
        """A file, or None where there is none."""
        return self._files.get(path)

    def names(self, path: str) -> list[str] | None:
        """What is in a folder, or None where there is none."""
        found = self._folders.get(path)
        return None if found is None else sorted(found)
