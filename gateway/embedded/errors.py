"""What can go wrong with the embedded servers; whoever runs the machine must act.

EmbeddedError                    code, message, mend (also read as `hint`)
├── NotInstalled                 embedded-not-installed: the wheels are missing
├── FolderInUse                  embedded-folder-in-use: another process runs these servers
├── FolderNotOurs                embedded-folder-not-ours: the folder belongs to somebody else
├── NoAccount                    embedded-no-account: root needs an account to run PostgreSQL as
├── OutOfReach                   embedded-out-of-reach: that account cannot pass to the files
└── DidNotStart                  embedded-did-not-start: a server stopped or stayed silent
"""

from pathlib import Path

from gateway.errors import GatewayError


class EmbeddedError(GatewayError):
    """Root of the errors of the embedded servers."""

    @property
    def hint(self) -> str:
        """How to mend it, under the name the command line prints."""
        return self.mend


class NotInstalled(EmbeddedError):
    """The wheels with the server programs are an extra, which an agency's laptop does without."""

    def __init__(self, what: str) -> None:
        super().__init__(
            "embedded-not-installed",
            f"The program for the embedded {what} is not installed.",
            "Run: pip install 'ctds-gateway[server,embedded]'",
        )


class FolderInUse(EmbeddedError):
    """Two servers on one folder would destroy what is in it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            "embedded-folder-in-use",
            f"Another process already runs the embedded servers in {folder}.",
            "Stop it first (Ctrl-C where it runs), or choose another data folder.",
        )


class FolderNotOurs(EmbeddedError):
    """A folder made by one user cannot be served by another."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            "embedded-folder-not-ours",
            f"The data folder {folder} belongs to another user.",
            "Run as the user who made it, or choose another data folder.",
        )


class NoAccount(EmbeddedError):
    """PostgreSQL refuses to run as root, and no other account could be made."""

    def __init__(self, name: str, *, detail: str) -> None:
        super().__init__(
            "embedded-no-account",
            f"PostgreSQL does not run as root, and the account {name} could not be made.",
            f"Run as an ordinary user, or: useradd --system --no-create-home {name}",
            detail=detail,
        )


class OutOfReach(EmbeddedError):
    """The account that runs PostgreSQL cannot pass through the folders above its files."""

    def __init__(self, path: Path, account: str, *, detail: str = "") -> None:
        super().__init__(
            "embedded-out-of-reach",
            f"The account {account}, which runs PostgreSQL for root, cannot use {path}.",
            "Install and run from a folder that others may pass through, such as /opt or /srv, "
            "or run as an ordinary user.",
            detail=detail,
        )


class DidNotStart(EmbeddedError):
    """A server ended at once or did not answer in time; its log says why."""

    def __init__(self, what: str, log: Path, *, detail: str = "") -> None:
        super().__init__(
            "embedded-did-not-start",
            f"The embedded {what} did not start.",
            f"Its log is {log}. Is the disk full, or is another server using the folder?",
            detail=detail,
        )
