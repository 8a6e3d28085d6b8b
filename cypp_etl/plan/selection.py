"""A part of what a plan is about, as somebody asks for it: a partner, the partners of a group, an outcome."""

from collections.abc import Mapping, Set
from dataclasses import dataclass

from cypp_etl.phrases import short_list
from cypp_etl.plan.model import Plan


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for: the codes of the partners, or None for all, and of the outcome, or empty for all.

    `title` says it in words, `codes` in the codes that were given.
    """

    partner_codes: frozenset[str] | None
    outcome_code: str
    title: str
    codes: tuple[str, ...]

    def has(self, partner_code: str | None, outcome_code: str) -> bool:
        """Whether what is of a partner and of an outcome is part of it."""
        return self.has_partner(partner_code) and self.outcome_code in ("", outcome_code)

    def has_partner(self, partner_code: str | None) -> bool:
        """Whether a partner is part of it."""
        return self.partner_codes is None or partner_code in self.partner_codes


EVERYTHING = Selection(None, "", "", ())
"""What is selected where nothing was asked for."""


def select_part(plan: Plan, partner: str = "", group: str = "", outcome: str = "") -> Selection:
    """The part of a plan that codes say, in any case; each that is empty leaves all.

    Raises:
        ValueError: the plan has no such code, or none of the group's partners is the one that was asked for.
    """
    titles, codes, partner_codes, outcome_code = [], [], None, ""
    if group.strip():
        code = _known("group", group, plan.groups)
        partner_codes = frozenset(plan.members[code])
        titles.append(plan.groups[code].group)
        codes.append(code)
    if partner.strip():
        code = _known("partner", partner, plan.partners)
        if partner_codes is not None and code not in partner_codes:
            raise ValueError(f"{code} is not in the group {codes[0]}, which has {short_list(partner_codes)}")
        partner_codes = frozenset({code})
        titles.append(plan.partners[code].partner)
        codes.append(code)
    if outcome.strip():
        outcome_code = _known("outcome", outcome, plan.outcomes)
        titles.append(plan.outcomes[outcome_code].outcome)
        codes.append(outcome_code)
    return Selection(partner_codes, outcome_code, ", ".join(titles), tuple(codes))


def groups_about(plan: Plan, shown: Set[str], left_out: Set[str]) -> list[str]:
    """The groups that partners are shown with: those of which none is left out, or else all that they are in."""
    members = {code: set(of_group) for code, of_group in plan.members.items() if shown & set(of_group)}
    whole = [code for code, of_group in members.items() if not of_group & left_out]
    return whole or [*members]


def _known(kind: str, text: str, codes: Mapping[str, object]) -> str:
    wanted = text.strip().casefold()
    found = next((code for code in codes if code.casefold() == wanted), None)
    if found is None:
        raise ValueError(f"there is no {kind} {text!r}; the plan has {short_list(codes)}")
    return found
