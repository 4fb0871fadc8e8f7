"""A timestamp authority that is not ours: `openssl ts` behind a loopback HTTP server.

Its root is thrown away with the test. What it answers can be bent, as a hostile one would.
"""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread

from tests.crypto.peers.programs import require

CONFIGURATION = """
[req]
distinguished_name = name
prompt = no
[name]
CN = Throw-away root
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[timestamps]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[code]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, codeSigning
[not-critical]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = timeStamping
[answers]
serial = {folder}/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


@dataclass
class Authority:
    """Its root and its key in a folder, and the certificate that it signs with."""

    folder: Path
    openssl: str
    _lock: Lock = field(default_factory=Lock)
    _sent: tuple[str, ...] = ()

    @classmethod
    def make(cls, folder: Path) -> "Authority":
        """A new one, with a root of its own."""
        folder.mkdir(parents=True, exist_ok=True)
        made = cls(folder, require("openssl", "openssl"))
        (folder / "ca.cnf").write_text(CONFIGURATION.format(folder=folder))
        (folder / "serial").write_text("01\n")
        made._openssl("req", "-x509", *_KEY, "root.key", "-out", "root.pem", "-extensions", "root")
        made.certify("timestamps")
        return made

    @property
    def root(self) -> Path:
        """What an auditor pins."""
        return self.folder / "root.pem"

    def certify(self, purpose: str, *, name: str = "tsa", by: str = "root") -> None:
        """A new key and certificate to sign with, for a purpose of the configuration."""
        self._openssl("req", *_KEY, f"{name}.key", "-out", f"{name}.csr")
        made = ("x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.pem", "-CAkey", f"{by}.key")
        given = ("-CAcreateserial", "-days", "20", *_extended(purpose))
        self._run(*made, *given, "-out", f"{name}.pem")

    def certify_in_between(self) -> None:
        """The same by an authority that the root certified, whose certificate goes along."""
        self.certify("root", name="between")
        self.certify("timestamps", by="between")
        self._sent = ("-chain", "between.pem")

    def answer(self, question: bytes) -> bytes:
        """What it answers to a question (`openssl ts -reply`)."""
        with self._lock:
            (self.folder / "question").write_bytes(question)
            signing = ("-signer", "tsa.pem", "-inkey", "tsa.key", *self._sent)
            told = ("-config", "ca.cnf", "-section", "answers", "-queryfile", "question")
            self._run("ts", "-reply", *told, *signing, "-out", "answer")
            return (self.folder / "answer").read_bytes()

    def stamp(self, octets: bytes, *options: str) -> bytes:
        """A token over some octets, asked for by openssl itself."""
        (self.folder / "data").write_bytes(octets)
        given = options or ("-sha256", "-cert")
        self._run("ts", "-query", "-data", "data", *given, "-out", "query")
        return self.answer((self.folder / "query").read_bytes())

    def signed_anew(self, token: bytes) -> bytes:
        """What a token says, signed with the certificate there is now, whatever that is for."""
        (self.folder / "answer").write_bytes(token)
        self._run("ts", "-reply", "-in", "answer", "-token_out", "-out", "token")
        self._run("cms", "-verify", "-noverify", *_DER, "-in", "token", "-out", "content")
        kind = ("-binary", "-nodetach", "-econtent_type", "1.2.840.113549.1.9.16.1.4", "-cades")
        signing = ("-signer", "tsa.pem", "-inkey", "tsa.key", "-md", "sha256")
        self._run("cms", "-sign", *kind, *signing, "-in", "content", *_OUT_DER, "-out", "token")
        self._run("ts", "-reply", "-in", "token", "-token_in", "-out", "answer")
        return (self.folder / "answer").read_bytes()

    def verifies(self, octets: bytes, token: bytes) -> bool:
        """Whether openssl verifies a token, by this root."""
        (self.folder / "data").write_bytes(octets)
        (self.folder / "token").write_bytes(token)
        told = ("-data", "data", "-in", "token", "-CAfile", "root.pem")
        command = [self.openssl, "ts", "-verify", *told]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, check=False)
        return done.returncode == 0

    def _openssl(self, *arguments: str) -> None:
        self._run(*arguments, "-config", "ca.cnf")

    def _run(self, *arguments: str) -> None:
        command = [self.openssl, *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode(errors="replace")


_DER = ("-inform", "DER")
_OUT_DER = ("-outform", "DER")
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout")


def _extended(purpose: str) -> tuple[str, ...]:
    return ("-extfile", "ca.cnf", "-extensions", purpose)


Bend = Callable[[bytes], bytes]
"""What becomes of an answer on its way."""


@dataclass
class Served:
    """Where an authority answers, what it was asked, and how it answers, which a test may bend."""

    authority: Authority
    url: str = ""
    asked: list[bytes] = field(default_factory=list)
    status: int = 200
    location: str = ""
    bend: Bend = bytes
    drip: float = 0.0
    ended: Event = field(default_factory=Event)


@contextmanager
def serving(authority: Authority) -> Iterator[Served]:
    """An authority at an address of loopback, ended with the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    served = Served(authority, f"http://127.0.0.1:{server.server_port}/tsa")
    server.served = served  # type: ignore[attr-defined]  # the handler knows its server only
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        served.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    timeout = 5

    def do_POST(self) -> None:
        served: Served = self.server.served  # type: ignore[attr-defined]
        question = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["Content-Type"] == "application/timestamp-query"
        served.asked.append(question)
        if served.drip:
            self._drip(served)
            return
        body = served.bend(served.authority.answer(question))
        self.send_response(served.status)
        if served.location:
            self.send_header("Location", served.location)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drip(self, served: Served) -> None:
        """A header that does not end, so slowly that no reading of the socket times out."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not served.ended.is_set():
            time.sleep(served.drip)
            try:
                self.wfile.write(b"x")
            except OSError:
                return

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
