"""Seeds of faults, by their codes: importing the package declares them all."""

from benchmarks.seeding import figures, milestones, rows, sheets
from benchmarks.seeding.drafts import SEEDS, Good, Trial, make_good, seed_faults

__all__ = ["SEEDS", "Good", "Trial", "figures", "make_good", "milestones", "rows", "seed_faults", "sheets"]
