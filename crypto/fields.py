"""The fields inside small packets: octets, numbers and multiprecision integers, read strictly.

Refuses a field that runs past the end (RFC 9580 sections 3.1 to 3.5). Also writes them.
"""

from datetime import UTC, datetime

from crypto.refusals import Malformed


class Fields:
    """A cursor over the bytes of one packet."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        """The next `count` octets."""
        end = self.at + count
        if end > len(self._data):
            raise Malformed("a field runs past the end of its packet")
        taken = self._data[self.at : end]
        self.at = end
        return taken

    def number(self, octets: int) -> int:
        """The next big-endian number."""
        return int.from_bytes(self.take(octets), "big")

    def moment(self) -> datetime:
        """The next four-octet time, in UTC."""
        return datetime.fromtimestamp(self.number(4), UTC)

    def mpi(self) -> bytes:
        """The next multiprecision integer, as octets."""
        return self.take((self.number(2) + 7) // 8)

    def rest(self) -> bytes:
        """Everything left."""
        return self.take(len(self._data) - self.at)

    def __bool__(self) -> bool:
        return self.at < len(self._data)


def mpi(value: bytes) -> bytes:
    """A multiprecision integer in its shortest form (RFC 9580 section 3.2)."""
    number = int.from_bytes(value, "big")
    bits = number.bit_length()
    return bits.to_bytes(2, "big") + number.to_bytes((bits + 7) // 8, "big")


def seconds(moment: datetime) -> bytes:
    """A four-octet time (RFC 9580 section 3.5)."""
    return int(moment.timestamp()).to_bytes(4, "big")
