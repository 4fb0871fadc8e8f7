"""Entries as events of the Open Cybersecurity Schema Framework (OCSF 1.3.0), for a SIEM.

Every action has one class and activity: Authentication (3002), Entity Management (3004), API
Activity (6003) or File Hosting Activity (6006). What OCSF has no attribute for stands under
`unmapped` in the log's own words, so that nothing of an entry is lost. An export is for looking
things up: only the log itself proves anything.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from audit.actions import Action
from audit.entry import Entry, Outcome

SCHEMA = "1.3.0"


@dataclass(frozen=True, slots=True)
class Class:
    """A class of OCSF; `shape` makes the attributes that only it has."""

    uid: int
    name: str
    category_uid: int
    category: str
    shape: Callable[[Entry], Mapping[str, Any]]


def _hash(value: str) -> dict[str, Any]:
    return {"algorithm_id": 3, "algorithm": "SHA-256", "value": value}


def _file(entry: Entry) -> Mapping[str, Any]:
    file: dict[str, Any] = {"name": entry.object_id or "none", "type_id": 1, "type": "Regular File"}
    if entry.object_sha256 is not None:
        file["hashes"] = [_hash(entry.object_sha256)]
    return {"file": file, "src_endpoint": _source(entry)}


def _entity(entry: Entry) -> Mapping[str, Any]:
    entity = {"uid": entry.object_id, "type": entry.object_type}
    return {"entity": {name: value for name, value in entity.items() if value is not None}}


def _api(entry: Entry) -> Mapping[str, Any]:
    resource = {"uid": entry.object_id, "type": entry.object_type}
    return {
        "api": {"operation": entry.action.value, "request": {"uid": entry.request_id or "none"}},
        "src_endpoint": _source(entry),
        "resources": [{name: value for name, value in resource.items() if value is not None}],
    }


def _logon(entry: Entry) -> Mapping[str, Any]:
    return {
        "user": {"uid": entry.actor, "type": entry.actor_type, "type_id": 99},
        "service": {"name": "ctds-gateway"},
        "src_endpoint": _source(entry),
    }


def _source(entry: Entry) -> Mapping[str, Any]:
    # A keyed pseudonym, not an address.
    return {"uid": entry.source or "none"}


AUTHENTICATION = Class(3002, "Authentication", 3, "Identity & Access Management", _logon)
ENTITY = Class(3004, "Entity Management", 3, "Identity & Access Management", _entity)
API = Class(6003, "API Activity", 6, "Application Activity", _api)
FILE = Class(6006, "File Hosting Activity", 6, "Application Activity", _file)

CREATE, READ, UPDATE, DELETE = (1, "Create"), (2, "Read"), (3, "Update"), (4, "Delete")
UPLOAD, DOWNLOAD, SHARE, OPEN = (1, "Upload"), (2, "Download"), (12, "Share"), (14, "Open")
REPLACE = (3, "Update")

MAPPED: Mapping[Action, tuple[Class, tuple[int, str]]] = {
    Action.SUBMISSION_RECEIVED: (FILE, UPLOAD),
    Action.SUBMISSION_REFUSED: (FILE, UPLOAD),
    Action.SUBMISSION_OPENED: (FILE, OPEN),
    Action.SUBMISSION_VALIDATED: (API, READ),
    Action.SUBMISSION_STORED: (API, CREATE),
    Action.SUBMISSION_REJECTED: (API, UPDATE),
    Action.SUBMISSION_FAILED: (API, UPDATE),
    Action.SUBMISSION_RETRIED: (API, UPDATE),
    Action.SUBMISSION_WITHDRAWN: (API, UPDATE),
    Action.SUBMISSION_REPLACED: (FILE, REPLACE),
    Action.SUBMISSION_RELEASED: (FILE, SHARE),
    Action.SUBMISSION_DESTROYED: (FILE, DELETE),
    Action.DRY_RUN_RECEIVED: (FILE, UPLOAD),
    Action.DRY_RUN_REFUSED: (FILE, UPLOAD),
    Action.DRY_RUN_CHECKED: (API, READ),
    Action.DRY_RUN_REJECTED: (API, READ),
    Action.DRY_RUN_FAILED: (API, READ),
    Action.DRY_RUN_REMOVED: (FILE, DELETE),
    Action.REPORT_READ: (API, READ),
    Action.RECEIPT_READ: (API, READ),
    Action.LOG_READ: (API, READ),
    Action.RELEASE_REQUESTED: (API, CREATE),
    Action.RELEASE_APPROVED: (API, UPDATE),
    Action.RELEASE_REFUSED: (API, UPDATE),
    Action.RELEASE_RETRIEVED: (FILE, DOWNLOAD),
    Action.AGENCY_ENROLLED: (ENTITY, CREATE),
    Action.AGENCY_SUSPENDED: (ENTITY, UPDATE),
    Action.AGENCY_RESUMED: (ENTITY, UPDATE),
    Action.CERTIFICATE_ADDED: (ENTITY, CREATE),
    Action.CERTIFICATE_UPDATED: (ENTITY, UPDATE),
    Action.CERTIFICATE_EXPIRING: (ENTITY, READ),
    Action.CERTIFICATE_REVOKED: (ENTITY, UPDATE),
    Action.MAILBOX_SET: (ENTITY, UPDATE),
    Action.MAILBOX_REMOVED: (ENTITY, UPDATE),
    Action.MAIL_RETRIED: (API, UPDATE),
    Action.TOKEN_ISSUED: (ENTITY, CREATE),
    Action.TOKEN_REVOKED: (ENTITY, DELETE),
    Action.SSH_KEY_ADDED: (ENTITY, CREATE),
    Action.SSH_KEY_REVOKED: (ENTITY, UPDATE),
    Action.AUTH_FAILED: (AUTHENTICATION, (1, "Logon")),
    Action.KEY_CREATED: (ENTITY, CREATE),
    Action.KEY_RETIRED: (ENTITY, UPDATE),
    Action.KEY_DESTROYED: (ENTITY, DELETE),
    Action.KEY_TRACED: (ENTITY, READ),
    Action.LOG_STARTED: (API, CREATE),
}


def to_ocsf(entry: Entry, index: int) -> dict[str, Any]:
    """One event; `index` is where the entry stands in the log."""
    class_, (activity, activity_name) = MAPPED[entry.action]
    software, _, version = entry.software.partition("/")
    good = entry.outcome == Outcome.SUCCESS
    event: dict[str, Any] = {
        "class_uid": class_.uid,
        "class_name": class_.name,
        "category_uid": class_.category_uid,
        "category_name": class_.category,
        "activity_id": activity,
        "activity_name": activity_name,
        "type_uid": class_.uid * 100 + activity,
        "severity_id": 1 if good else 3,
        "status_id": 1 if good else 2,
        "status": "Success" if good else "Failure",
        "time": round(entry.time.timestamp() * 1000),
        "message": entry.action.meaning,
        "actor": {"user": {"uid": entry.actor, "type": entry.actor_type, "type_id": 99}},
        "metadata": {
            "version": SCHEMA,
            "uid": entry.event_id,
            "sequence": index,
            "log_name": "ctds-gateway audit log",
            "product": {"name": software, "vendor_name": "ctds-gateway", "version": version},
        },
        "unmapped": _words(entry),
        **class_.shape(entry),
    }
    code = entry.error_code or entry.reason_code
    return event if code is None else {**event, "status_code": code}


def _words(entry: Entry) -> dict[str, Any]:
    words = {name: value for name, value in asdict(entry).items() if value is not None}
    del words["time"]
    return words
