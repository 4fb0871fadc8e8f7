"""The one place that puts the parts together, a room for each kind of process.

Time and randomness enter here and nowhere deeper. No process loads what only another needs, and the
web process is given no private key but the one that promises.
"""

LOCAL_PART = "submissions"
"""The gateway's address is this at the host of PUBLIC_URL; Web Key Directory serves its key."""
