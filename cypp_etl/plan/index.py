"""Finds in the plan what a row is about: by its reference, case- and whitespace-insensitive, or by its text.

A row with a mistyped reference still has its definition. So only the reference is reported, not also a missing
row, and its figure is checked in the same round.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from cypp_etl.caching import remembered
from cypp_etl.plan.model import Indicator, Milestone, Parent, Plan

_Known = TypeVar("_Known")


@remembered
def reference_key(text: str) -> str:
    """A reference without case and spacing: `ni111 A` is `NI 111a`."""
    return "".join(text.split()).casefold()


@dataclass(frozen=True)
class PlanIndex:
    """Looks up in the plan what a partner typed; every key is a `reference_key`.

    `references` are those of indicators with and without sub-indicators, each with the letters of its subs.
    """

    leaves: dict[str, Indicator]
    references: dict[str, tuple[str, ...]]
    parents: dict[str, Parent]
    milestones: dict[str, Milestone]
    partners: dict[str, str]
    outcomes: dict[str, str]
    leaf_of_definition: dict[str, Indicator]
    parent_of_definition: dict[str, Parent]
    milestone_of_description: dict[str, Milestone]

    @classmethod
    def of(cls, plan: Plan) -> "PlanIndex":
        """Index a plan."""
        leaves, milestones = plan.indicators.values(), plan.milestones.values()
        return cls(
            leaves={reference_key(leaf.indicator): leaf for leaf in leaves},
            references=_references(plan),
            parents={reference_key(code): parent for code, parent in plan.parents.items()},
            milestones={reference_key(milestone.milestone): milestone for milestone in milestones},
            partners={reference_key(code): code for code in plan.partners},
            outcomes={
                reference_key(heading): outcome.outcome_code
                for outcome in plan.outcomes.values()
                for heading in (outcome.outcome, outcome.table_heading)
                if heading
            },
            leaf_of_definition=_by_text((leaf.parent_definition + leaf.definition, leaf) for leaf in leaves),
            parent_of_definition=_by_text((parent.definition, parent) for parent in plan.parents.values()),
            milestone_of_description=_by_text((milestone.description, milestone) for milestone in milestones),
        )

    def leaf_named(self, ref: str, sub: str) -> Indicator | None:
        """The leaf of a reference and a sub."""
        return self.leaves.get(reference_key(ref) + reference_key(sub))

    def leaf_described(self, definition: str) -> Indicator | None:
        """The leaf with a definition, preceded by its parent's."""
        return self.leaf_of_definition.get(_words(definition))

    def parent_described(self, definition: str) -> Parent | None:
        """The parent with a definition."""
        return self.parent_of_definition.get(_words(definition))

    def milestone_described(self, description: str) -> Milestone | None:
        """The milestone with a description."""
        return self.milestone_of_description.get(_words(description))


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
