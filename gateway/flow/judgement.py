"""What became of an upload when it was judged, and what of that may be written down and shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.records import Rejection
from gateway.store.linkage import Remembered
from gateway.store.objects import Stored
from validators.manifest import Manifest
from validators.report import Report, render_text
from validators.run import Outcome


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be recorded of one upload: rejected, or good and, where it is to stay, sealed.

    Later submissions are held against what is `noted`. Keys are named by their fingerprints, for
    the day when one of them is lost.
    """

    opened: bool
    rejection: Rejection | None = None
    outcome: Outcome | None = None
    sealed: Stored | None = None
    noted: tuple[Remembered, ...] = field(default=(), repr=False)
    report_key: str | None = None
    signer: str | None = None
    signing_key: str | None = None
    recipient_key: str | None = None
    vault_keys: tuple[str, ...] = ()

    @property
    def error_code(self) -> str | None:
        """The code that sums up a rejection: the refusal, or the first submission-level rule."""
        if self.rejection is not None:
            return self.rejection.code
        if self.outcome is None or self.outcome.report.verdict != "rejected":
            return None
        errors = [each for each in self.outcome.report.findings if each.severity == "error"]
        whole = [each for each in errors if each.level == "submission"]
        return (whole or errors)[0].rule

    @property
    def cause(self) -> str | None:
        """The exact code for the log, where the answer to the sender is kept uniform."""
        return self.error_code if self.rejection is None else self.rejection.cause

    def facts(self) -> dict[str, Any]:
        """What is recorded whether it was rejected or not; of the report no value."""
        return {
            "report": self._shown(),
            "report_key": self.report_key,
            "signer": self.signer,
            "signing_key": self.signing_key,
            "recipient_key": self.recipient_key,
            "error_code": self.error_code,
        }

    def _shown(self) -> dict[str, Any] | None:
        shown = None if self.outcome is None else self.outcome.report.redacted().to_dict()
        if self.rejection is None:
            return shown
        refusal = {
            "code": self.rejection.code,
            "message": self.rejection.message,
            "mend": self.rejection.mend,
        }
        return {**(shown or {}), "verdict": "rejected", "refusal": refusal}


def package_facts(manifest: Manifest) -> dict[str, Any]:
    """What a package says of itself."""
    return {
        "package_id": manifest.submission_id,
        "submission_type": str(manifest.submission_type),
        "period_start": manifest.period_start,
        "period_end": manifest.period_end,
    }


def report_text(report: Mapping[str, Any]) -> str:
    """A report that is kept, in sentences: without anything that the sender wrote."""
    return refusal_text(report) or render_text(Report.from_dict(report))


def refusal_text(report: Mapping[str, Any]) -> str | None:
    """What a report says in place of rows where there were none to judge; None where there were."""
    refusal = report.get("refusal")
    if refusal is None:
        return None
    return f"Rejected ({refusal['code']}): {refusal['message']}\n{refusal['mend']}\n"
