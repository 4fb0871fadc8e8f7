"""Packets and fields: what is written is read again, however the source is cut into pieces."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import Form, MessageRefused, sniff
from crypto.armor import ArmorKind, armored
from crypto.fields import Fields, mpi
from crypto.framing import LITERAL, Octets, next_packet
from crypto.protected import ProtectedReader, ProtectedWriter
from crypto.writing import Parts, length, packet
from tests.crypto.parties import GATEWAY, good_message

KEY = bytes(range(32))


class Dribbling:
    """A source that gives a few octets at a time, as a slow connection does."""

    def __init__(self, data: bytes, most: int) -> None:
        self._data, self._most = BytesIO(data), most

    def read(self, size: int, /) -> bytes:
        return self._data.read(min(size, self._most))


@given(st.lists(st.tuples(st.integers(1, 63), st.binary(max_size=9000))), st.integers(1, 999))
def test_packets_are_read_as_written(packets: list[tuple[int, bytes]], most: int) -> None:
    written = b"".join(packet(tag, body) for tag, body in packets)
    octets, found = Octets(Dribbling(written, most)), []
    while one := next_packet(octets):
        found.append((one.tag, one.body.whole(9000)))
    assert found == packets


@given(st.lists(st.binary(max_size=50_000), max_size=6), st.integers(1000, 90_000))
def test_parts_are_read_as_written(pieces: list[bytes], most: int) -> None:
    written = bytearray()
    parts = Parts(written.extend, LITERAL)
    for piece in pieces:
        parts.write(piece)
    parts.finish()
    one = next_packet(Octets(Dribbling(bytes(written), most)))
    assert one
    assert one.body.whole(1 << 20) == b"".join(pieces)


@given(st.binary(max_size=70_000), st.integers(1, 70_000), st.integers(1, 70_000))
def test_protected_data_is_read_as_written(plaintext: bytes, most: int, size: int) -> None:
    written = bytearray()
    writer = ProtectedWriter(written.extend, KEY)
    writer.write(plaintext)
    writer.finish()
    most, size = max(most, len(plaintext) // 50), max(size, len(plaintext) // 50)
    reader, found = ProtectedReader(Dribbling(bytes(written[1:]), most), KEY), b""
    while piece := reader.read(size):
        assert len(piece) <= size
        found += piece
    assert found == plaintext


@given(st.integers(0, 1 << 20))
def test_lengths_are_in_their_shortest_form(count: int) -> None:
    written = length(count)
    assert len(written) == (1 if count < 192 else 2 if count < 8384 else 5)


@given(st.binary(max_size=64))
def test_multiprecision_integers_lose_their_leading_zeros_only(value: bytes) -> None:
    assert Fields(mpi(value)).mpi() == value.lstrip(b"\0")


@given(st.binary(max_size=40))
def test_old_format_headers_are_read(body: bytes) -> None:
    for kind, octets in ((0, 1), (1, 2), (2, 4)):
        written = bytes([0x80 | LITERAL << 2 | kind]) + len(body).to_bytes(octets, "big") + body
        one = next_packet(Octets(BytesIO(written)))
        assert one
        assert (one.tag, one.body.whole(40)) == (LITERAL, body)


@pytest.mark.parametrize("head", [b"\x00", b"\x7f", b"\xb7", b"\xc1\xe9"])
def test_impossible_headers_are_refused(head: bytes) -> None:
    with pytest.raises(MessageRefused):
        next_packet(Octets(BytesIO(head + bytes(600))))


def test_sniffing() -> None:
    assert sniff(good_message()[:32]) == Form.BINARY
    assert sniff(b"\xef\xbb\xbf\r\n-----BEGIN PGP MESSAGE-----\r\n") == Form.ARMORED
    for other in (b"", b"PK\x03\x04", b"-----BEGIN PGP SIGNATURE-----", GATEWAY.certificate.data):
        assert sniff(other[:32]) == Form.OTHER


@pytest.mark.parametrize("first", [0x90, 0xA3, 0xCB, 0xC4, 0xC8])
def test_what_is_only_signed_or_compressed_is_no_encrypted_message(first: int) -> None:
    packet = bytes([first]) + bytes(20)
    assert sniff(packet) == Form.OTHER
    text = armored(packet, kind=ArmorKind.MESSAGE).encode()
    assert sniff(text) == Form.OTHER
    assert sniff(text.replace(b"\n\n", b"\nComment: ours\n\n", 1)) == Form.OTHER
    assert sniff(text[:28]) == Form.ARMORED
