"""Schema migrations, applied by `gateway.store.migrate` under an advisory lock."""
