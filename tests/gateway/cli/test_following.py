"""What a sender is told where a report is asked for and does not come."""

import json

import pytest

from gateway.cli.failures import REFUSED, Failure, report_failure
from gateway.cli.following import Wanted, end
from gateway.client import GatewayClient, Kind, Received, Refused
from gateway.client.https import Https
from tests.gateway.cli.scripted import Answer, scripted

WANTED = Wanted(wait=True, receipt=None, as_json=False)


def followed(state: str, status: int, code: str) -> Exception:
    """What ends the wait for a report that is refused with a code."""
    problem = {"code": code, "title": "The gateway's words.", "mend": "The gateway's hint."}
    received = Received(Kind.SUBMISSION, {"id": "1", "state": state})
    with scripted(Answer(status, json.dumps(problem).encode())) as gateway:
        channel = Https(GatewayClient(gateway.url, "ctds_secret", sleep=lambda _: None))
        with pytest.raises((Failure, Refused)) as ended:
            end(channel, received, WANTED)
    return ended.value


def test_a_submission_that_failed_has_no_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert report_failure(followed("failed", 404, "not-found")) == REFUSED
    assert "There is no report, as the submission is failed." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "unauthenticated"),
        (403, "forbidden"),
        (429, "too-many-requests"),
        (503, "report-not-ready"),
        (500, "internal"),
    ],
)
def test_any_other_refusal_is_told_in_its_own_words(
    status: int, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A token that ended, say: there is a report, and nobody was told of anything."""
    assert report_failure(followed("stored", status, code)) == REFUSED
    told = capsys.readouterr().err
    assert f"The gateway's words. [{code}]" in told
    assert "no report" not in told
    assert "have been told" not in told
