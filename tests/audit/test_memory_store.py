"""The store of the other tests keeps to the rules of real ones."""

import pytest

from tests.audit.memory_store import MemoryStore
from tests.audit.store_suite import LogStoreSuite, StoreHarness


class TestMemoryStore(LogStoreSuite):
    @pytest.fixture
    def harness(self) -> StoreHarness:
        store = MemoryStore()
        return StoreHarness(store, store.enqueue)
