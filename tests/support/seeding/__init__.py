"""Seeds of faults, by their codes: importing the package declares them all."""

from tests.support.seeding import figures, milestones, rows, sheets
from tests.support.seeding.drafts import SEEDS, Good, Trial, make_good, seed_faults

__all__ = ["SEEDS", "Good", "Trial", "figures", "make_good", "milestones", "rows", "seed_faults", "sheets"]
