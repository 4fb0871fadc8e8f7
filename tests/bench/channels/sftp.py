"""SFTP against OpenSSH's own server, with OpenSSH's own client, in turns.

OpenSSH's server writes to a disk and is done. Ours also reads the framing, hashes, puts the file
into the object store and commits before it answers. So theirs is measured twice: bare, and with
what a site would do behind it, where each file that has come is hashed and put into the same store,
by the same code, one after the other; nothing is committed then, and nobody is told.
"""

import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from gateway.store.objects import Bucket, ObjectStore
from tests.bench.channels.made import message
from tests.bench.measure import Line, middle, peak_mb
from tests.bench.stand import standing
from tests.gateway.processes import free_port
from tests.gateway.sftp.conftest import Person, SftpProcess, make_ssh_key, person_at

AGENCIES = ("POL-E23000020", "POL-E23000012", "LA-E10000019", "LA-E06000015", "POL-E23000007")
ROUNDS = 3
SMALL_FILES, SMALL_BYTES = 1000, 10_000
SESSIONS = 200

SSHD = """
Port {port}
ListenAddress 127.0.0.1
HostKey {host_key}
AuthorizedKeysFile {keys}
PidFile none
UsePAM no
StrictModes no
MaxStartups 1000
MaxSessions 1000
Subsystem sftp internal-sftp
"""


def bench_sftp(folder: Path, megabytes: int) -> Iterator[Line]:
    """Every case of this module."""
    with _bench(folder) as bench:
        yield from bench.large(megabytes)
        yield from bench.small()
        yield bench.sessions()


class _Theirs:
    """OpenSSH's server on a port of its own."""

    def __init__(self, folder: Path, key: Path) -> None:
        self.port = free_port()
        self.inbox = folder / "theirs"
        self.inbox.mkdir()
        host_key = make_ssh_key(folder / "theirs_host_key")
        self.known_hosts = folder / "theirs_known_hosts"
        public = host_key.with_suffix(".pub").read_text()
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {public}")
        config = folder / "sshd_config"
        keys = key.with_suffix(".pub")
        config.write_text(SSHD.format(port=self.port, host_key=host_key, keys=keys))
        program = shutil.which("sshd") or "/usr/sbin/sshd"
        Path("/run/sshd").mkdir(exist_ok=True)
        self.process = subprocess.Popen([program, "-D", "-f", str(config)])
        time.sleep(1)


@dataclass(frozen=True)
class _Took:
    """Seconds for the same files: theirs, theirs with the hand-over, ours."""

    bare: float
    handed_over: float
    ours: float


class _Bench:
    """Both servers, and one client for both."""

    def __init__(
        self, folder: Path, people: Sequence[Person], theirs: _Theirs, store: ObjectStore
    ) -> None:
        self._folder = folder
        self._people = people
        self._theirs = theirs
        self._store = store

    def large(self, megabytes: int) -> Iterator[Line]:
        """One file, in MB a second."""
        took: list[_Took] = []
        for number in range(ROUNDS):
            file = self._folder / f"large-{number}.pgp"
            file.write_bytes(message(megabytes * 1_000_000))
            took.append(self._round(str(file)))
            file.unlink()
        case = f"one file of {megabytes} MB over SFTP"
        return self._lines(case, took, megabytes, "MB/s", 0.8)

    def small(self) -> Iterator[Line]:
        """A thousand files in one session, in files a second."""
        took: list[_Took] = []
        for number in range(ROUNDS):
            folder = self._folder / f"small-{number}"
            folder.mkdir()
            for name in range(SMALL_FILES):
                (folder / f"{name}.pgp").write_bytes(message(SMALL_BYTES))
            took.append(self._round(f"{folder}/*"))
            shutil.rmtree(folder)
        case = f"{SMALL_FILES:,} files of {SMALL_BYTES // 1000} KB over SFTP"
        return self._lines(case, took, SMALL_FILES, "files/s", 0.7)

    def sessions(self) -> Line:
        """So many sessions at once, each with a file; how many of them came through."""
        files = [self._folder / f"session-{number}.pgp" for number in range(SESSIONS)]
        for file in files:
            file.write_bytes(message(SMALL_BYTES))

        def send(number: int) -> bool:
            person = self._people[number % len(self._people)]
            return person.sftp(f"put {files[number]} /inbox/").returncode == 0

        with ThreadPoolExecutor(SESSIONS) as threads:
            came = sum(threads.map(send, range(SESSIONS)))
        return Line(
            case=f"{SESSIONS} SFTP sessions at once",
            against="all of them",
            ours=came,
            theirs=SESSIONS,
            unit="sessions",
            better="higher",
            target=1.0,
            peak_mb=peak_mb([self._people[0].door.pid]),
        )

    def _round(self, files: str) -> "_Took":
        """Send files to theirs, hand over what has come, and send them to ours."""
        bare = self._put_theirs(f"put {files} {self._theirs.inbox}/")
        handing_over = self._hand_over()
        return _Took(bare, bare + handing_over, self._put(f"put {files} /inbox/"))

    def _lines(
        self, case: str, took: Sequence["_Took"], work: int, unit: str, target: float
    ) -> Iterator[Line]:
        ours = work / middle(each.ours for each in took)
        bare = work / middle(each.bare for each in took)
        handed_over = work / middle(each.handed_over for each in took)
        peak = peak_mb([self._people[0].door.pid])
        for against, theirs in (
            ("OpenSSH's sftp-server, then hashed and put into the same store", handed_over),
            ("OpenSSH's sftp-server alone", bare),
        ):
            yield Line(case, against, ours, theirs, unit, "higher", target, peak)

    def _hand_over(self) -> float:
        started = time.perf_counter()
        for file in self._theirs.inbox.iterdir():
            with file.open("rb") as body:
                self._store.put(Bucket.QUARANTINE, f"theirs/{token_hex(8)}", body)
            file.unlink()
        return time.perf_counter() - started

    def _put(self, line: str) -> float:
        started = time.perf_counter()
        done = self._people[0].sftp(line)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return time.perf_counter() - started

    def _put_theirs(self, line: str) -> float:
        person, theirs = self._people[0], self._theirs
        options = [*("-F", "none", "-o", "BatchMode=yes", "-i", str(person.key))]
        options += ["-o", f"UserKnownHostsFile={theirs.known_hosts}", "-P", str(theirs.port)]
        started = time.perf_counter()
        subprocess.run(
            ["sftp", *options, "-b", "-", "root@127.0.0.1"],
            input=f"{line}\n",
            text=True,
            capture_output=True,
            check=True,
        )
        return time.perf_counter() - started


@contextmanager
def _bench(folder: Path) -> Iterator[_Bench]:
    with standing(folder) as stand:
        door = SftpProcess(dict(stand.environ), folder)
        door.start()
        people = [person_at(stand, door, folder, agency) for agency in AGENCIES]
        theirs = _Theirs(folder, people[0].key)
        try:
            yield _Bench(folder, people, theirs, stand.admin.objects)
        finally:
            theirs.process.terminate()
            theirs.process.wait(10)
            door.stop()
