"""Where OpenSSL's CFB mode is imported from: `cryptography` 47 moved it, and warns at the old name.

CFB is old but not optional: it is the mode of RFC 9580 section 5.13.1, whose integrity rests on the
modification check and whose authenticity rests on the signature within.
"""

try:
    from cryptography.hazmat.decrepit.ciphers.modes import CFB
except ImportError:  # cryptography before 47
    from cryptography.hazmat.primitives.ciphers.modes import CFB

__all__ = ["CFB"]
