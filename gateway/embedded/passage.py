"""Let one account pass through closed folders to its files, and no other account.

Where a folder above PostgreSQL's programs or data is closed to others (a checkout under /root, a
temporary folder), the account is granted search permission on it, without read, by a POSIX ACL. The
wheel's own way, chmod o+rx on every folder up to /, would open root's home to all users of the
machine; it is not used.
"""

import os
import stat
import struct
from contextlib import suppress
from pathlib import Path

from gateway.embedded.account import Account
from gateway.embedded.errors import OutOfReach

# The kernel's form of an access ACL (linux/posix_acl_xattr.h): a version, then entries of
# (tag, permission, id).
ATTRIBUTE = "system.posix_acl_access"
VERSION = struct.pack("<I", 2)
ENTRY = struct.Struct("<HHI")
USER_OBJ, USER, GROUP_OBJ, MASK, OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
NO_ID = 0xFFFFFFFF
SEARCH = 1


def grant_passage(path: Path, account: Account) -> None:
    """Open every folder above `path` to `account`; raise OutOfReach where that cannot be done."""
    for folder in reversed(path.resolve().parents):
        status = folder.stat()
        if status.st_mode & stat.S_IXOTH or status.st_uid == account.uid:
            continue
        try:
            _grant_search(folder, account.uid)
        except (OSError, AttributeError) as error:  # no ACLs here, or (macOS) not in this form
            raise OutOfReach(folder, account.name, detail=str(error)) from error


def _grant_search(folder: Path, uid: int) -> None:
    entries = _entries(folder)
    entries[USER, uid] = SEARCH
    # The mask caps what groups and named users get; without it the entry would have no effect.
    entries[MASK, NO_ID] = entries.get((MASK, NO_ID), entries[GROUP_OBJ, NO_ID]) | SEARCH
    packed = (ENTRY.pack(tag, bits, who) for (tag, who), bits in sorted(entries.items()))
    os.setxattr(folder, ATTRIBUTE, VERSION + b"".join(packed))


def _entries(folder: Path) -> dict[tuple[int, int], int]:
    """The permissions of `folder` by (tag, id): its ACL, or its mode where it has none."""
    with suppress(OSError):
        kept = os.getxattr(folder, ATTRIBUTE)
        return {(tag, who): bits for tag, bits, who in ENTRY.iter_unpack(kept[len(VERSION) :])}
    mode = folder.stat().st_mode
    return {
        (USER_OBJ, NO_ID): mode >> 6 & 7,
        (GROUP_OBJ, NO_ID): mode >> 3 & 7,
        (OTHER, NO_ID): mode & 7,
    }
