"""The address on a cover is typed by whoever drops the file: only what is allowed is written to."""

import pytest

from flows.mail.recipients import Recipients, address_in, domain_of


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("ann@example.org", "ann@example.org"),
        ("  ann.o'neil+returns@mail.example.org\u00a0", "ann.o'neil+returns@mail.example.org"),
        ("Ann@EXAMPLE.org", "Ann@EXAMPLE.org"),
        (f"{'a' * 64}@example.org", f"{'a' * 64}@example.org"),
        (f"{'a' * 65}@example.org", ""),
        ("", ""),
        ("ann", ""),
        ("ann@localhost", ""),
        ("ann@example.org, bob@example.org", ""),
        ("ann@example.org bob@example.org", ""),
        ("Ann <ann@example.org>", ""),
        ("ann@example.org\r\nBcc: all@elsewhere.example", ""),
        ("ann@example.org\n", ""),
        ("ann\x00@example.org", ""),
        ('"ann\r\n"@example.org', ""),
        ("ann@elsewhere.example@example.org", ""),
        ("ann%elsewhere.example@example.org", ""),
        ("elsewhere.example!ann@example.org", ""),
        ("=?utf-8?q?=0ABcc?=@example.org", ""),
        ("ann@example.org>", ""),
        ("ann@[127.0.0.1]", ""),
        ("ann@еxample.org", ""),
        ("ann@example.1", ""),
        ("ann@-example.org", ""),
        (".ann@example.org", ""),
    ],
)
def test_an_address_is_one_address_and_nothing_else(typed: str, address: str) -> None:
    assert address_in(typed) == address


@pytest.mark.parametrize(
    ("address", "partner_code", "is_allowed"),
    [
        ("ann@example.org", "yos", True),
        ("ann@EXAMPLE.ORG", "nhs", True),
        ("ann@mail.example.org", "yos", False),
        ("ann@notexample.org", "yos", False),
        ("ann@example.org.elsewhere.example", "yos", False),
        ("bob@justice.example", "yos", True),
        ("bob@justice.example", "nhs", False),
        ("Jo@charity.example", "nhs", True),
        ("jim@charity.example", "nhs", False),
        ("jo@charity.example", "yos", False),
    ],
)
def test_domains_and_addresses_are_allowed_for_all_or_for_one_partner(
    address: str, partner_code: str, is_allowed: bool
) -> None:
    recipients = Recipients.read("Example.org, yos:justice.example nhs:jo@charity.example")
    assert recipients.allow(address, partner_code) is is_allowed


@pytest.mark.parametrize(
    "typed", ["", " , ", "*", "example", "@example.org", "yos:", "example.org;nhs.example", "*.org"]
)
def test_what_allows_nobody_or_everybody_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"CYPP_MAIL_ALLOWED .*example\.org"):
        Recipients.read(typed)


def test_a_domain_is_compared_in_small_letters() -> None:
    assert domain_of("Ann@Mail.Example.Org") == "mail.example.org"
