"""The certificates within a timestamp, put into the order that DER asks of a set (X.690, 11.6).

`openssl ts`, and so many authorities, send them as they come; a strict reader refuses that. Nobody
signs this order: RFC 5652 leaves the set out of what is signed. Nothing else is touched, and no
octet is added or lost.
"""

from collections.abc import Iterator

_SEQUENCE, _TAGGED = 0x30, 0xA0
_TO_SIGNED_DATA = ((1, _SEQUENCE), (1, _TAGGED), (0, _SEQUENCE))
"""From the answer to the token, to its content, to the signed data: which element, of which tag."""

_Element = tuple[int, int, int, int]
"""Tag; where it begins; where its content begins and ends."""


def in_order(answer: bytes) -> bytes:
    """The same answer with its certificates sorted; as it was, where it is no such answer."""
    try:
        _, _, start, stop = _certificates(answer)
        found = [answer[begin:end] for _, begin, _, end in _elements(answer, start, stop)]
    except (IndexError, ValueError):
        return answer
    return answer[:start] + b"".join(sorted(found)) + answer[stop:]


def _certificates(answer: bytes) -> _Element:
    (place,) = _elements(answer, 0, len(answer))
    for number, tag in _TO_SIGNED_DATA:
        place = _child(answer, place, number, tag)
    return _child(answer, place, 3, _TAGGED)


def _child(data: bytes, parent: _Element, number: int, tag: int) -> _Element:
    _, _, start, stop = parent
    found = list(_elements(data, start, stop))[number]
    if found[0] != tag:
        raise ValueError("another element stands there")
    return found


def _elements(data: bytes, start: int, stop: int) -> Iterator[_Element]:
    """One after another, to the very end; raises ValueError or IndexError."""
    while start < stop:
        length, content = data[start + 1], start + 2
        if length > 0x7F:
            octets = length & 0x7F
            length, content = int.from_bytes(data[content : content + octets]), content + octets
        if content + length > stop:
            raise ValueError("an element is longer than what holds it")
        yield data[start], start, content, content + length
        start = content + length
