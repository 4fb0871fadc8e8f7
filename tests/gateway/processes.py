"""The gateway's processes as an operator runs them, for tests that kill them or speak real HTTP."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event, Lock, Thread

import requests

from tests.deploy.units import of_process


def free_port() -> int:
    """A port of loopback that is free now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class Processes:
    """Every kind of process, SFTP if wanted; each starts again when it dies, as by systemd."""

    def __init__(
        self,
        environ: Mapping[str, str],
        logs: Path,
        *,
        workers: int = 1,
        webs: int = 1,
        sftp: bool = False,
        own_environ: Callable[[str], Mapping[str, str]] = lambda _: {},
    ) -> None:
        self._ports = {"web": free_port()} | {f"web-{n}": free_port() for n in range(1, webs)}
        self.port = self._ports["web"]
        self.sftp_port = free_port()
        self.urls = [f"http://127.0.0.1:{port}" for port in self._ports.values()]
        self.url = self.urls[0]
        self._environ = {**os.environ, **environ}
        self._own_environ = own_environ
        self._logs = logs
        self._names = ["signer", *self._ports, "sequencer"]
        self._names += [f"worker-{n}" for n in range(workers)]
        if sftp:
            self._names.append("sftp")
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = Lock()
        self._stop = Event()
        self._keeper = Thread(target=self._keep, daemon=True)

    def __enter__(self) -> "Processes":
        for name in self._names:
            self._start(name)
        self._keeper.start()
        self.await_ready()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._keeper.join()
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    @property
    def names(self) -> list[str]:
        """What can be killed."""
        return list(self._names)

    @property
    def pids(self) -> list[int]:
        """The process id of each process that was started here."""
        return [process.pid for process in self._running.values()]

    def pid(self, name: str) -> int:
        """That of one of them."""
        return self._running[name].pid

    def kill(self, name: str) -> None:
        """`kill -9`, with everything it started."""
        with self._lock:
            process = self._running[name]
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        process.wait()

    def end(self, name: str, *, seconds: float) -> None:
        """Tell it to end, as systemd does; raises subprocess.TimeoutExpired where it does not."""
        with self._lock:
            process = self._running[name]
        process.terminate()
        process.wait(seconds)

    def pause(self, name: str) -> None:
        """Have it stand still, as a machine that is suspended does."""
        os.killpg(self._running[name].pid, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Have it go on where it stood."""
        os.killpg(self._running[name].pid, signal.SIGCONT)

    def log(self, name: str) -> str:
        """What a process said."""
        return (self._logs / f"{name}.log").read_text(errors="replace")

    def await_ready(self, *, seconds: float = 60) -> None:
        """Return when the gateway answers that database and object store do as well."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if all(requests.get(f"{url}/readyz", timeout=5).ok for url in self.urls):
                    return
            except requests.RequestException:
                pass
            time.sleep(0.05)
        raise TimeoutError(
            f"the gateway is not ready after {seconds} s:\n{self.log('web')[-2000:]}"
        )

    def _keep(self) -> None:
        while not self._stop.wait(0.1):
            for name in self._names:
                if self._running[name].poll() is not None:
                    self._start(name)

    def _start(self, name: str) -> None:
        kind = name.partition("-")[0]
        command = [sys.executable, "-m", "gateway", kind]
        if kind == "signer":
            command.append("serve")
        if kind == "web":
            command += ["--bind", f"127.0.0.1:{self._ports[name]}", "--threads", "8"]
        if kind == "sftp":
            command += ["--port", str(self.sftp_port)]
        environ = {**self._environ, **of_process(name), **self._own_environ(name)}
        with self._lock, (self._logs / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                command, env=environ, stdout=log, stderr=log, start_new_session=True
            )
