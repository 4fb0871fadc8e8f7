"""Typed tables, one module a subject. Imported together so that the metadata is whole."""

from gateway.store.tables.access import AccessTokenRow, SshKeyRow
from gateway.store.tables.agencies import (
    AgencyRow,
    CertificateRow,
    CertificateWarningRow,
    MailboxRow,
)
from gateway.store.tables.dryruns import DryRunKeyRow, DryRunRow
from gateway.store.tables.linkage import (
    LinkagePepperRow,
    LinkageTokenRow,
    RememberedRecordRow,
)
from gateway.store.tables.log import (
    AgencyCounterRow,
    CheckpointRow,
    LeafRow,
    OutboxRow,
    PublicationRow,
    TileRow,
    TimestampRow,
)
from gateway.store.tables.model import Model
from gateway.store.tables.releases import ReleaseItemRow, ReleaseRow
from gateway.store.tables.submissions import (
    GivenUpMailRow,
    IdempotencyRow,
    PackageRow,
    SubmissionRow,
    TransitionRow,
)
from gateway.store.tables.uploads import UploadPartRow, UploadRow

__all__ = [
    "AccessTokenRow",
    "AgencyCounterRow",
    "AgencyRow",
    "CertificateRow",
    "CertificateWarningRow",
    "CheckpointRow",
    "DryRunKeyRow",
    "DryRunRow",
    "GivenUpMailRow",
    "IdempotencyRow",
    "LeafRow",
    "LinkagePepperRow",
    "LinkageTokenRow",
    "MailboxRow",
    "Model",
    "OutboxRow",
    "PackageRow",
    "PublicationRow",
    "ReleaseItemRow",
    "ReleaseRow",
    "RememberedRecordRow",
    "SshKeyRow",
    "SubmissionRow",
    "TileRow",
    "TimestampRow",
    "TransitionRow",
    "UploadPartRow",
    "UploadRow",
]
