"""What the gateway serves under /check/, and what it says where there is no page to be served."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest
import requests
from flask import Flask

from deploy.checker import building, fetching
from gateway.web.checker import checker_blueprint
from gateway.web.checker.packing import ARCHIVE, pack_validators
from gateway.web.checker.routes import MEDIA_TYPES
from tests.gateway.checker.served import Served, require_built, serving
from tests.gateway.paced import ABSORBED

WASM = "pyodide.asm.wasm"


@pytest.fixture(scope="module")
def listed(web: Served) -> dict[str, str]:
    """The list of digests that is served, by name."""
    lines = requests.get(f"{web.url}/check/SHA256SUMS", timeout=10).text.splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def named(listed: dict[str, str], name: str) -> str:
    [found] = [each for each in listed if each.endswith(f"/{name}")]
    return found


def test_everything_on_the_list_is_served_as_it_says(web: Served, listed: dict[str, str]) -> None:
    for name, digest in listed.items():
        answer = requests.get(f"{web.url}/check/{name}", timeout=30)
        assert answer.status_code == 200, name
        assert hashlib.sha256(answer.content).hexdigest() == digest
        assert answer.headers["Content-Type"] == MEDIA_TYPES[Path(name).suffix]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_nothing_may_be_loaded_from_elsewhere_nor_written_into_the_page(
    web: Served, listed: dict[str, str]
) -> None:
    for name in listed:
        policy = requests.head(f"{web.url}/check/{name}", timeout=10).headers[
            "Content-Security-Policy"
        ]
        rules = dict(part.split(" ", 1) for part in policy.split("; "))
        assert rules["default-src"] == rules["form-action"] == rules["frame-ancestors"] == "'none'"
        assert rules["script-src"] == "'self' 'wasm-unsafe-eval'"
        worker = name.endswith("/worker.js")
        assert rules["connect-src"] == ("'none'" if worker else "'self'")
        assert "unsafe-inline" not in policy
        assert "http" not in policy


def test_the_page_holds_no_script_and_no_style_of_its_own(web: Served) -> None:
    text = requests.get(f"{web.url}/check/", timeout=10).text
    assert text.count("<script") == text.count("</script>") == 1
    assert "></script>" in text
    assert "<style" not in text
    assert " style=" not in text
    assert "onclick" not in text


def test_the_page_is_asked_for_anew_and_the_rest_is_kept(
    web: Served, listed: dict[str, str]
) -> None:
    index = requests.get(f"{web.url}/check/", timeout=10)
    assert index.headers["Cache-Control"] == "no-cache"
    assert len(index.content) + len(str(listed)) < ABSORBED, "nginx keeps no copy of these"
    known = {"If-None-Match": index.headers["ETag"]}
    assert requests.get(f"{web.url}/check/", headers=known, timeout=10).status_code == 304
    wasm = requests.head(f"{web.url}/check/{named(listed, WASM)}", timeout=10)
    assert "immutable" in wasm.headers["Cache-Control"]


@pytest.mark.parametrize(
    "path", ["nothing", "../standard/", "%2e%2e/SHA256SUMS", "..%2f..%2fetc/passwd", "/etc/passwd"]
)
def test_an_address_never_becomes_the_name_of_a_file(web: Served, path: str) -> None:
    request = requests.Request("GET", f"{web.url}/check/").prepare()
    request.url = f"{web.url}/check/{path}"
    with requests.Session() as session:
        answer = session.send(request, timeout=10)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not-found"


def test_without_the_slash_the_page_is_found(web: Served) -> None:
    answer = requests.get(f"{web.url}/check", timeout=10, allow_redirects=False)
    assert answer.status_code == 308
    assert answer.headers["Location"].endswith("/check/")


def test_without_a_folder_it_is_said_how_to_get_one(
    checker_environ: dict[str, str], tmp_path: Path
) -> None:
    with serving(checker_environ, tmp_path, None) as web:
        answer = requests.get(f"{web.url}/check/", timeout=10)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "checker-not-offered"
    assert "CHECKER_FOLDER" in answer.json()["mend"]


def other_validators(folder: Path) -> None:
    """As after an upgrade of the gateway alone: a whole page of another version."""
    [archive] = folder.glob(f"*/{ARCHIVE}")
    archive.write_bytes(archive.read_bytes() + b"\n")
    old = hashlib.sha256(pack_validators()).hexdigest()
    new = hashlib.sha256(archive.read_bytes()).hexdigest()
    sums = folder / "SHA256SUMS"
    sums.write_text(sums.read_text().replace(old, new))


def cut_short(folder: Path) -> None:
    [wasm] = folder.glob(f"*/{WASM}")
    wasm.write_bytes(wasm.read_bytes()[:-1])


def a_part_missing(folder: Path) -> None:
    next(folder.glob(f"*/{WASM}")).unlink()


def a_name_that_leads_out(folder: Path) -> None:
    sums = folder / "SHA256SUMS"
    sums.write_text(f"{sums.read_text()}{'0' * 64}  ../outside\n")


@pytest.mark.parametrize(
    "change", [other_validators, cut_short, a_part_missing, a_name_that_leads_out]
)
def test_a_page_that_is_not_fit_is_not_offered(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    folder = tmp_path / "built"
    copytree(require_built(), folder)
    change(folder)
    app = Flask("gateway", static_folder=None)
    app.register_blueprint(checker_blueprint(folder))
    answer = app.test_client().get("/check/")
    assert answer.status_code == 503
    problem = json.loads(answer.data)
    assert problem["code"] == "checker-outdated"
    assert "make checker" in problem["mend"]


def test_what_is_built_is_a_function_of_what_it_is_built_from() -> None:
    folder = require_built()
    built = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert building.build(fetching.core(), fetching.wheels()) == built


def test_the_standard_is_in_the_archive_as_it_is_installed() -> None:
    packed = pack_validators()
    assert packed == pack_validators()
    assert b"validators/data/ctds-1.0/standard.json" in packed
    assert b"__pycache__" not in packed


def test_what_is_there_and_is_no_page_is_not_written_over(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError):
        building.write({"index.html": b"", "SHA256SUMS": b""}, kept)
    assert (kept / "thesis.txt").exists()
