"""One mailbox and nothing else; one mail server and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.addresses import LONGEST_ADDRESS, Encryption, MailServer, mailbox_of
from gateway.errors import RequestRefused

GOOD = [
    "data@leeds.gov.uk",
    "data.returns+ctds@safeguarding.leeds.gov.uk",
    "a@b-c.example",
    "x_1-2@xn--bcher-kva.example",
    f"{'a' * 64}@example.org",
]
ATTACKS = {
    "nothing": "",
    "no domain": "nobody",
    "no local part": "@example.org",
    "no dot": "data@localhost",
    "a number": "data@127.0.0.1",
    "a literal": "data@[127.0.0.1]",
    "a second header": "data@example.org\r\nBcc: thief@evil.example",
    "a folded header": "data@example.org\r\n Bcc: thief@evil.example",
    "a line feed": "data@example.org\n",
    "a carriage return": "data@example.org\r",
    "a line of its own": "\ndata@example.org",
    "a vertical tab": "data@example.org\v",
    "a next line": "data@example.org\x85",
    "a zero": "data@example.org\0",
    "a command": "data@example.org>\r\nRCPT TO:<thief@evil.example",
    "two": "data@example.org,thief@evil.example",
    "two with a space": "data@example.org, thief@evil.example",
    "two with a semicolon": "data@example.org;thief@evil.example",
    "two with a blank": "data@example.org thief@evil.example",
    "two @": "data@example.org@evil.example",
    "a group": "all:data@example.org,thief@evil.example;",
    "a name": "Ada <data@example.org>",
    "brackets": "<data@example.org>",
    "quotes": '"data,thief@evil.example"@example.org',
    "a comment": "data(thief@evil.example)@example.org",
    "a route": "@evil.example:data@example.org",
    "a relay": "data%evil.example@example.org",
    "bangs": "evil!data@example.org",
    "a pipe": "|sh@example.org",
    "an option": "-oQ/tmp@example.org",
    "a path": "/etc/passwd@example.org",
    "two dots": "data..returns@example.org",
    "a dot before": ".data@example.org",
    "a dot behind": "data.@example.org",
    "a dot at the end": "data@example.org.",
    "a hyphen": "data@-example.org",
    "an umlaut": "däta@example.org",
    "a domain outside ASCII": "data@bücher.example",
    "a look-alike": "data@exаmple.org",  # noqa: RUF001 - the letter is Cyrillic
    "a wide @": "data\uff20example.org",
    "an encoded word": "=?utf-8?q?data?=@example.org",
    "too long before": f"{'a' * 65}@example.org",
    "too long": f"data@{'a.' * 130}org",
    "a label too long": f"data@{'a' * 64}.org",
}


@pytest.mark.parametrize("address", GOOD)
def test_a_plain_address_is_taken(address: str) -> None:
    assert mailbox_of(address) == address


@pytest.mark.parametrize("address", ATTACKS.values(), ids=ATTACKS)
def test_anything_else_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        mailbox_of(address)
    assert refused.value.code == "mailbox-malformed"
    assert not address or address not in f"{refused.value} {refused.value.mend}"


@given(st.text(max_size=300))
def test_what_is_taken_has_no_character_that_means_something(text: str) -> None:
    for address in (text, f"data@{text}", f"{text}@example.org", f"data@example.org{text}"):
        try:
            taken = mailbox_of(address)
        except RequestRefused:
            continue
        assert taken.isascii()
        assert len(taken) <= LONGEST_ADDRESS
        assert taken.count("@") == 1
        assert not set(taken) & set(" \t\r\n\0,;:<>()[]\"\\%!|/`$&'=?*#{}~^")


def test_the_address_of_a_mail_server() -> None:
    server = MailServer.from_url("smtps://us%40er:p%3Aw@mail.example.org:10465")
    assert server == MailServer(
        "mail.example.org", 10465, Encryption.TLS, user="us@er", password="p:w"
    )
    assert "p:w" not in repr(server)
    assert MailServer.from_url("smtp+starttls://mail.example.org").port == 587
    assert MailServer.from_url("smtps://mail.example.org").port == 465
    assert MailServer.from_url("smtp://[::1]").host == "::1"


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.org",
        "http://mail.example.org",
        "smtp://",
        "smtp:///x",
        "smtp://mail.example.org/path",
        "smtp://mail.example.org?tls=no",
        "smtp://mail.example.org#x",
        "smtp://mail.example.org:99999",
        "smtp://mail.example.org:port",
        "smtp://mail..example",
        "smtp://mail_example",
        "smtp://bücher.example",
        f"smtp://{'a' * 64}",
        "SECRET",
    ],
)
def test_what_is_no_mail_server_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match="no address of a mail server") as refused:
        MailServer.from_url(url)
    assert url not in str(refused.value)
