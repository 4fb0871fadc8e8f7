"""The door for SFTP: one key, one agency, and a small tree of files that exists only here.

`server` listens; `door` lets in, and no more than there is room for; `tree` is what a client sees;
`desk` takes what is written, keeps it as ciphertext on this machine's disk until it is whole, and
hands it to `flow.intake`; `shelf` holds what can only be read. Nothing of a client's path ever
becomes a path on this machine.
"""
