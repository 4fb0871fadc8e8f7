"""Files on their way to the gateway that their senders may still write to: on this machine's disk.

`box` keeps them as ciphertext, each under a name that only its sender can read (`names`).
"""

from gateway.spool.box import Growing, Spool, Waiting
from gateway.spool.names import LONGEST, Names, fit

__all__ = ["LONGEST", "Growing", "Names", "Spool", "Waiting", "fit"]
