"""`make checker`: build the page that checks returns in a browser, into a folder."""

import sys
from pathlib import Path

from deploy.checker.building import build, write
from deploy.checker.fetching import NotFetched, core, wheels
from gateway.web.checker.site import DIGESTS, digest_of


def main(folder: Path) -> int:
    """Build and write; the exit status is 1 where something could not be fetched or written."""
    try:
        site = build(core(), wheels())
        write(site, folder)
    except (NotFetched, OSError) as failed:
        print(f"The page that checks in a browser was not built: {failed}", file=sys.stderr)
        return 1
    print(f"{folder / DIGESTS}: SHA-256 {digest_of(site[DIGESTS])}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
