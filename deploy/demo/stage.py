"""Where the demonstration happens: a gateway of its own, and a console that shows each step."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import join

import requests
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gateway.cli.environment import read_environment
from gateway.settings import Process, Settings
from gateway.wiring.admin import AdminServices, admin_services

GATEWAY = Path(sys.executable).with_name("gateway")
READY_SECONDS = 90


class DemoFailed(Exception):
    """Something did not come out as it must; the demonstration ends here and says so."""


class Stage:
    """A running gateway under one folder."""

    def __init__(self, folder: Path, console: Console) -> None:
        self.folder = folder
        self.console = console
        self.environ: dict[str, str] = {}
        self.url = ""

    @property
    def keys(self) -> Path:
        """The gateway's own keys."""
        return self.folder / "keys"

    def step(self, title: str) -> None:
        """Begin a step."""
        self.console.print()
        self.console.rule(f"[bold]{title}", align="left", style="dim")

    def say(self, text: str) -> None:
        """A sentence for the reader."""
        self.console.print(text, markup=False, highlight=False)

    def require(self, fact: str, *, holds: bool) -> None:
        """State a fact that must hold; end the demonstration if it does not."""
        if not holds:
            raise DemoFailed(fact)
        self.console.print(f"[green]✔[/green] {fact}", highlight=False)

    def gateway(self, *arguments: str, expect: int = 0, show: bool = True) -> str:
        """Run the command `gateway`, as a person would; return what it printed."""
        return self.run((str(GATEWAY), *arguments), expect=expect, show=show)

    def administer(self, *arguments: str) -> str:
        """Run an administrator's command: it needs the gateway's settings."""
        return self.gateway("--env-file", str(self.folder / "gateway.env"), *arguments)

    def run(
        self,
        command: Sequence[str],
        *,
        expect: int = 0,
        show: bool = True,
        stdin: bytes | None = None,
        environ: dict[str, str] | None = None,
    ) -> str:
        """Run a program, showing its command line; return what it printed."""
        if show:
            name = Path(command[0]).name
            line = join([name, *(self._short(each) for each in command[1:])])
            self.show(line)
        variables = {**os.environ, "GATEWAY_URL": self.url, **(environ or {})}
        done = subprocess.run(command, input=stdin, capture_output=True, env=variables, check=False)
        if done.returncode != expect:
            said = (done.stdout + done.stderr).decode(errors="replace")
            raise DemoFailed(f"{Path(command[0]).name} ended with {done.returncode}:\n{said}")
        return done.stdout.decode(errors="replace")

    def show(self, command: str) -> None:
        """Show a command line: whole, so that it can be copied."""
        self.console.print(
            f"  $ {command}", style="cyan", markup=False, highlight=False, soft_wrap=True
        )

    def quote(self, text: str) -> None:
        """Show what a program printed."""
        for line in text.rstrip().splitlines():
            self.console.print(f"  │ {line}", style="dim", markup=False, highlight=False)

    @contextmanager
    def progress(self, label: str, total: int) -> Iterator[Progress]:
        """A bar that counts steps; its one task is task 0."""
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console) as progress:
            progress.add_task(label, total=total)
            yield progress

    @contextmanager
    def administration(self) -> Iterator[AdminServices]:
        """The administrator's services, for what would be sixty commands one after the other."""
        services = admin_services(Settings.load(self.environ, Process.ADMIN))
        try:
            yield services
        finally:
            services.database.dispose()

    @contextmanager
    def running(self) -> Iterator[None]:
        """`gateway serve`, from ready to stopped."""
        command = (str(GATEWAY), "serve", "--folder", str(self.folder), "--port", "0")
        log = self.folder / "serve.log"
        with log.open("wb") as output:
            server = subprocess.Popen(
                [*command, "--workers", "2"], stdout=output, stderr=output, start_new_session=True
            )
        try:
            self._await_ready(server, log)
            yield
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()

    def _await_ready(self, server: "subprocess.Popen[bytes]", log: Path) -> None:
        file = self.folder / "gateway.env"
        for _ in range(READY_SECONDS * 5):
            if server.poll() is not None:
                raise DemoFailed(f"gateway serve ended:\n{log.read_text(errors='replace')}")
            if file.exists():
                self.environ = read_environment(file)
                self.url = self.environ.get("PUBLIC_URL", "")
                if self.url and self._answers():
                    return
            time.sleep(0.2)
        raise DemoFailed(f"the gateway is not ready:\n{log.read_text(errors='replace')}")

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=2).ok
        except requests.RequestException:
            return False

    def _short(self, argument: str) -> str:
        """Paths as they look from the folder of the demonstration."""
        return argument.replace(f"{self.folder}/", "")
