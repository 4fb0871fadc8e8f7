"""A log that nobody has to trust: what happened, in a tree whose root is signed and published.

Usable alone. An auditor needs `audit.replay` (check a whole log), `audit.receipt` (check a receipt)
and the log's verifier key, got by another way than from the log itself. Whoever keeps a log needs
`audit.sequencer` and an implementation of `audit.store.LogStore`.
"""
