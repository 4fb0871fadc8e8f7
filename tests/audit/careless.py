"""A signer that believes the store, for tests of everything but the signer."""

from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.edge import RightEdge
from audit.keyring import LogKeys
from audit.keys import Signer
from audit.sequencer import MOST_AT_ONCE, sequence_once
from audit.signing import Batch
from audit.store import LogStore


class CarelessSigner:
    """Signs what stands in the store, with whatever is to come on top."""

    def __init__(self, signer: Signer, store: LogStore) -> None:
        self._signer = signer
        self._store = store

    @property
    def keys(self) -> LogKeys:
        return LogKeys((self._signer.verifier,))

    def sign(self, batch: Batch) -> bytes:
        edge = RightEdge.load(self._store, batch.base)
        list(edge.extend(batch.leaves))
        return sign_checkpoint(Checkpoint(self._signer.name, edge.size, edge.root()), self._signer)


def sequence(store: LogStore, *, signer: Signer, limit: int = MOST_AT_ONCE) -> Checkpoint | None:
    """Sequence what is pending with a signer that believes the store."""
    return sequence_once(store, signer=CarelessSigner(signer, store), limit=limit)
