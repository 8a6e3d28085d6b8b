"""Finds in the plan what a row is about: by its reference, however it is written, or by the text beside it.

A row with a mistyped reference still has its definition. So only the reference is reported, not also a missing
row, and its figure is checked in the same round.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import NamedTuple, TypeVar

from cypp_etl.caching import remembered
from cypp_etl.periods import Period
from cypp_etl.plan.model import Indicator, Milestone, Parent, Plan
from cypp_etl.plan.reference_keys import loose_key, reference_key
from cypp_etl.plan.rhythm import QUARTERLY, Rhythm

_Known = TypeVar("_Known")


# Where a text begins with a reference, it has a few words; what is longer is not looked at.
_MOST_WORDS = 4
_LONGEST_TEXT = 1_000


class Meaning(NamedTuple):
    """What a row's reference, part and definition mean: reference and part as the plan writes them, and the leaves.

    `named` is the leaf of the reference, `described` that of the definition. `is_known` says whether the plan has such
    a reference, `is_parent` whether it is that of an indicator with parts.
    """

    ref: str
    sub: str
    named: Indicator | None
    described: Indicator | None
    is_known: bool
    is_parent: bool


class MilestoneMeaning(NamedTuple):
    """What a row's reference and description mean: the reference as the plan writes it, and the milestones.

    `named` is the milestone of the reference, `described` that of the description.
    """

    milestone: str
    named: Milestone | None
    described: Milestone | None


@dataclass(frozen=True)
class PlanIndex:
    """Looks up what a partner typed in the plan; every key is a `reference_key`, but those of the last mappings.

    `references` are those of indicators with and without parts, each with the letters of its parts. `leaves_alike` and
    `milestones_alike` hold, by `loose_key`, what the plan has instead of a reference that it does not have: an
    indicator's reference and part, and a milestone's. A key that could be two of them is in neither. `other_editions`
    are those of other times whose definitions differ, by their words. `rhythms` are those of the leaves, of all times.
    """

    leaves: dict[str, Indicator]
    references: dict[str, tuple[str, ...]]
    parents: dict[str, Parent]
    milestones: dict[str, Milestone]
    partners: dict[str, str]
    bands: dict[str, str]
    partner_names: dict[str, str]
    leaf_of_definition: dict[str, Indicator]
    parent_of_definition: dict[str, Parent]
    milestone_of_description: dict[str, Milestone]
    leaves_alike: dict[str, tuple[str, str]]
    milestones_alike: dict[str, str]
    rhythms: frozenset[Rhythm]
    other_editions: dict[str, tuple[Indicator, ...]]

    @classmethod
    def of(cls, plan: Plan, period: Period | None = None) -> "PlanIndex":
        """Index a plan: what it says of a period if one is given, with whatever has ended or has yet to begin.

        An indicator that has been split since, or was once, is found as what it is in the period.
        """
        everything = plan
        if period:
            plan = _described(plan, period)
        leaves, milestones = plan.indicators.values(), plan.milestones.values()
        return cls(
            leaves={reference_key(leaf.indicator): leaf for leaf in leaves},
            references=_references(plan),
            parents={reference_key(code): parent for code, parent in plan.parents.items()},
            milestones={reference_key(milestone.milestone): milestone for milestone in milestones},
            partners={reference_key(code): code for code in plan.partners},
            bands=_bands(plan),
            partner_names=_by_text((partner.partner, code) for code, partner in plan.partners.items()),
            leaf_of_definition=_by_text((leaf.parent_definition + leaf.definition, leaf) for leaf in leaves),
            parent_of_definition=_by_text((parent.definition, parent) for parent in plan.parents.values()),
            milestone_of_description=_by_text((milestone.description, milestone) for milestone in milestones),
            leaves_alike=_alone(
                [
                    *((loose_key(leaf.indicator), (leaf.indicator_ref, leaf.sub)) for leaf in leaves),
                    *((loose_key(parent), (parent, "")) for parent in plan.parents),
                ]
            ),
            milestones_alike=_alone((loose_key(code), code) for code in plan.milestones),
            rhythms=frozenset(each.rhythm for name in everything.indicators for each in everything.editions_of(name))
            or frozenset([QUARTERLY]),
            other_editions=_other_editions(leaves, everything),
        )

    @cached_property
    def reference_keys(self) -> frozenset[str]:
        """The keys of `references`."""
        return frozenset(self.references)

    @cached_property
    def leaf_keys(self) -> frozenset[str]:
        """The keys of `leaves`."""
        return frozenset(self.leaves)

    def meaning_of(self, ref: str, sub: str, definition: str) -> Meaning:
        """What a row is about by what it says."""
        # Thousands of returns repeat the plan's texts; an untrusted file could fill the memory with long ones.
        is_short = len(ref) + len(sub) + len(definition) <= _LONGEST_TEXT
        return self._meanings(ref, sub, definition) if is_short else self._meaning(ref, sub, definition)

    @cached_property
    def _meanings(self) -> Callable[[str, str, str], Meaning]:
        return lru_cache(maxsize=4096)(self._meaning)

    def _meaning(self, ref: str, sub: str, definition: str) -> Meaning:
        ref, sub = self.reference_meant(ref, sub)
        key = reference_key(ref)
        named, described = self.leaf_named(ref, sub), self.leaf_described(definition)
        return Meaning(ref, sub, named, described, key in self.references, not sub and key in self.parents)

    def milestone_meaning_of(self, milestone: str, description: str) -> MilestoneMeaning:
        """What a row about a milestone is about by what it says."""
        is_short = len(milestone) + len(description) <= _LONGEST_TEXT
        work = self._milestone_meanings if is_short else self._milestone_meaning
        return work(milestone, description)

    @cached_property
    def _milestone_meanings(self) -> Callable[[str, str], MilestoneMeaning]:
        return lru_cache(maxsize=4096)(self._milestone_meaning)

    def _milestone_meaning(self, typed: str, description: str) -> MilestoneMeaning:
        milestone = self.milestone_meant(typed)
        named = self.milestones.get(reference_key(milestone))
        return MilestoneMeaning(milestone, named, self.milestone_described(description))

    def reference_meant(self, ref: str, sub: str) -> tuple[str, str]:
        """A reference and part as the plan writes them, where they can mean one indicator alone; otherwise as typed.

        `NI 111a` names the part too; beside it Sub may name the same part, or nothing.
        """
        if not ref or (self.leaf_named(ref, sub) and reference_key(ref) in self.references):
            return ref, sub
        own, part = self.leaves_alike.get(loose_key(ref)), loose_key(sub)
        if own is None:
            return ref, sub
        planned, planned_part = own
        if part in ("", loose_key(planned_part)):
            return own
        if planned_part:
            return ref, sub
        both = self.leaves_alike.get(loose_key(f"{planned} {sub}")) if part.isalpha() else None
        return both if both and both[0] == planned else (planned, sub)

    def leaf_meant(self, text: str) -> Indicator | None:
        """The leaf whose name somebody typed, such as `ni-111a`, where it can mean one alone."""
        return self.leaf_named(*self.reference_meant(text, ""))

    def reference_begun(self, text: str) -> tuple[str, str, str]:
        """The reference and part that a text begins with, as the plan writes them, and the rest of it.

        `NI 43 Custodial sentences` is NI 43 with the rest; a text that begins with none has an empty reference.
        """
        if len(text) > _LONGEST_TEXT:
            return "", "", text
        words = text.split()
        for count in range(min(len(words), _MOST_WORDS), 0, -1):
            ref, sub = self.reference_meant(" ".join(words[:count]), "")
            if reference_key(ref) in self.references or self.leaf_named(ref, sub):
                return ref, sub, " ".join(words[count:]).lstrip("-:. \u2013\u2014")
        return "", "", text

    def outcome_of_band(self, text: str) -> str:
        """The code of the outcome that a band or a sheet names, itself or by one of its aspirations; empty if none."""
        return self.bands.get(_words(text), "") if text else ""

    def partner_named(self, text: str) -> str:
        """The code of the partner with a code or a name; empty if there is none."""
        return self.partners.get(reference_key(text)) or self.partner_names.get(_words(text), "")

    def milestone_meant(self, typed: str) -> str:
        """A milestone's reference as the plan writes it, where it can mean one alone; otherwise as typed."""
        return typed if reference_key(typed) in self.milestones else self.milestones_alike.get(loose_key(typed), typed)

    def leaf_named(self, ref: str, sub: str) -> Indicator | None:
        """The leaf of a reference and a sub."""
        return self.leaves.get(reference_key(ref) + reference_key(sub))

    def edition_described(self, leaf: Indicator, definition: str) -> Indicator | None:
        """Another edition of a leaf, which has a definition that its own does not have."""
        those = self.other_editions.get(_words(definition), ())
        return next((edition for edition in those if edition.indicator == leaf.indicator), None)

    def leaf_described(self, definition: str) -> Indicator | None:
        """The leaf with a definition, preceded by its parent's. A form may say the figure's year behind it, too."""
        whole = self.leaf_of_definition.get(_words(definition))
        return whole or self.leaf_of_definition.get(_words(definition.rpartition("(")[0]))

    def parent_described(self, definition: str) -> Parent | None:
        """The parent with a definition."""
        return self.parent_of_definition.get(_words(definition))

    def milestone_described(self, description: str) -> Milestone | None:
        """The milestone with a description."""
        return self.milestone_of_description.get(_words(description))


def _alone(pairs: Iterable[tuple[str, _Known]]) -> dict[str, _Known]:
    """What each key stands for, where it stands for one thing alone."""
    found: dict[str, set[_Known]] = {}
    for key, known in pairs:
        found.setdefault(key, set()).add(known)
    return {key: known.pop() for key, known in found.items() if key and len(known) == 1}


def _bands(plan: Plan) -> dict[str, str]:
    """The outcome of each text that names one, or one of its aspirations; a text of two outcomes names neither."""
    outcomes = [
        (text, outcome.outcome_code)
        for outcome in plan.outcomes.values()
        for text in (outcome.outcome_code, outcome.outcome, outcome.table_heading)
    ]
    aspirations = [
        (text, one.outcome_code)
        for one in plan.aspirations.values()
        for text in (one.aspiration, one.text, f"{one.aspiration} {one.text}")
    ]
    return _alone((_words(text), code) for text, code in (*outcomes, *aspirations))


def _described(plan: Plan, period: Period) -> Plan:
    """The plan with the edition of each indicator that describes a period, whether or not it holds for it."""
    then = plan.at(period)
    return replace(
        plan,
        indicators={
            code: plan.edition(code, period)
            for code in plan.indicators
            if code in then.indicators or code not in then.parents
        },
        parents={
            ref: then.parents.get(ref, parent) for ref, parent in plan.parents.items() if ref not in then.indicators
        },
    )


def _other_editions(leaves: Iterable[Indicator], plan: Plan) -> dict[str, tuple[Indicator, ...]]:
    others: dict[str, tuple[Indicator, ...]] = {}
    for leaf in leaves:
        own = _words(leaf.parent_definition + leaf.definition)
        for edition in plan.editions_of(leaf.indicator):
            words = _words(edition.parent_definition + edition.definition)
            if words and words != own:
                others[words] = (*others.get(words, ()), edition)
    return others


def _references(plan: Plan) -> dict[str, tuple[str, ...]]:
    references: dict[str, tuple[str, ...]] = {reference_key(code): () for code in plan.parents}
    for leaf in plan.indicators.values():
        key = reference_key(leaf.indicator_ref)
        references[key] = (*references.get(key, ()), *([leaf.sub] if leaf.sub else []))
    return references


@remembered
def _words(text: str) -> str:
    """A text without what spreadsheets and people change: case, spacing, dashes and quotation marks."""
    return "".join(character for character in text.casefold() if character.isalnum())


def _by_text(texts: Iterable[tuple[str, _Known]]) -> dict[str, _Known]:
    """The owner of each text; a text that two share identifies neither."""
    pairs = [(_words(text), known) for text, known in texts]
    counts = Counter(key for key, _ in pairs)
    return {key: known for key, known in pairs if key and counts[key] == 1}
