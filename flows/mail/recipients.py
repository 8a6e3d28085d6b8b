"""Who may be written to: whoever drops a file types the address on its cover, and may type anybody's."""

import re
from dataclasses import dataclass
from typing import Self

# A part of what RFC 5321 allows: no quotes, comments or lists, nothing that could end a header or a command, no `=?` by
# which a header encodes what it likes, and neither `%` nor `!`, by which old servers pass a message on to others.
_LOCAL = r"[A-Za-z0-9&'+_~-]+(?:\.[A-Za-z0-9&'+_~-]+)*"
_DOMAIN = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?P<local>{_LOCAL})@(?P<domain>{_DOMAIN})")
_ALLOWED = re.compile(rf"(?:(?P<partner>[^:]+):)?(?P<whom>(?:{_LOCAL}@)?{_DOMAIN})")
_LONGEST_LOCAL, _LONGEST = 64, 254


def address_in(typed: str) -> str:
    """The e-mail address that a text is, less the spaces around it; empty if it is none, or more than one."""
    address = typed.strip(" \u00a0")
    found = _ADDRESS.fullmatch(address)
    fits = found is not None and len(found["local"]) <= _LONGEST_LOCAL and len(address) <= _LONGEST
    return address if fits else ""


def domain_of(address: str) -> str:
    """The domain of an e-mail address, in small letters."""
    return address.rpartition("@")[2].lower()


@dataclass(frozen=True, slots=True)
class Recipients:
    """Domains and addresses in small letters, each allowed for one partner or, with an empty code, for all."""

    allowed: frozenset[tuple[str, str]]

    @classmethod
    def read(cls, typed: str) -> Self:
        """Read domains and addresses parted by spaces or commas; `yos:` before one allows it for partner `yos` alone.

        Raises:
            ValueError: there is none, or one is neither a domain nor an address.
        """
        allowed = set()
        for one in typed.replace(",", " ").split():
            found = _ALLOWED.fullmatch(one)
            if not found:
                raise ValueError(f"CYPP_MAIL_ALLOWED has {one!r}: type a domain or an address, such as example.org")
            allowed.add((found["partner"] or "", found["whom"].lower()))
        if not allowed:
            raise ValueError("CYPP_MAIL_ALLOWED must name the domains that may be written to, such as example.org")
        return cls(frozenset(allowed))

    def allow(self, address: str, partner_code: str) -> bool:
        """Whether a partner's receipts may be sent to an address. A domain does not stand for those below it."""
        whoms = (address.lower(), domain_of(address))
        return any((code, whom) in self.allowed for code in ("", partner_code) for whom in whoms)
