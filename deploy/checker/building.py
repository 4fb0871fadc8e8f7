"""The page put together: the same source and the same pins give the same octets anywhere.

Everything but the page itself lies in a folder that is named after what is in it, so that a browser
may keep it for ever and never mixes two versions.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shutil import rmtree

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.web.checker.packing import ARCHIVE, pack_validators
from gateway.web.checker.site import DIGESTS, INDEX, digest_of
from validators.definitions import Agency
from validators.standard import Standard, load_standard

PAGE = Path(__file__).with_name("page")
ASSETS = "assets.json"
_IMPORTED = frozenset({"pyodide.mjs", "pyodide.asm.mjs"})
"""Scripts, which a browser fetches by itself; the page fetches and hands over the rest."""

_VERSION_DIGITS = 16


def build(core: Mapping[str, bytes], wheels: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files of the page by address, with the list of their digests."""
    parts = {**_scripts(), **core, **wheels, ARCHIVE: pack_validators()}
    parts[ASSETS] = _assets(core, [*wheels, ARCHIVE], parts)
    version = digest_of(_digests(parts))[:_VERSION_DIGITS]
    site = {INDEX: _index(version), **{f"{version}/{name}": parts[name] for name in sorted(parts)}}
    return {**site, DIGESTS: _digests(site)}


def write(site: Mapping[str, bytes], folder: Path) -> None:
    """Put the page into a folder, in place of what an earlier build left there."""
    fresh = folder.with_name(f"{folder.name}.new")
    rmtree(fresh, ignore_errors=True)
    for name, data in site.items():
        path = fresh / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    if folder.exists():
        # Only what was built here before is taken away.
        if not (folder / DIGESTS).is_file():
            raise FileExistsError(17, "is there already, and is no page of ours", str(folder))
        rmtree(folder)
    fresh.rename(folder)


def _scripts() -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in PAGE.iterdir() if each.name != INDEX}


def _assets(
    core: Mapping[str, bytes], packages: Sequence[str], parts: Mapping[str, bytes]
) -> bytes:
    """What the page fetches before it begins, with digests, and what of it is Python."""
    names = [*(name for name in core if name not in _IMPORTED), *packages]
    listed = {name: {"bytes": len(parts[name]), "sha256": digest_of(parts[name])} for name in names}
    return _json({"files": listed, "packages": packages})


def _json(value: object) -> bytes:
    return f"{json.dumps(value, indent=1, sort_keys=True)}\n".encode("ascii")


def _digests(parts: Mapping[str, bytes]) -> bytes:
    """As `sha256sum` writes them."""
    return "".join(f"{digest_of(parts[name])}  {name}\n" for name in sorted(parts)).encode("ascii")


def _index(version: str) -> bytes:
    standard = load_standard()
    templates = Environment(
        loader=FileSystemLoader(PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = templates.get_template(INDEX).render(
        version=version, standard=standard, groups=list(_groups(standard))
    )
    return f"{page}\n".encode()


def _groups(standard: Standard) -> Iterator[tuple[str, list[Agency]]]:
    """The agencies of each kind, by name."""
    for code, title in standard.codelists["CL_AGENCY_TYPE"].items.items():
        agencies = [each for each in standard.agencies.values() if each.agency_type == code]
        if agencies:
            yield title, sorted(agencies, key=lambda each: each.name)
