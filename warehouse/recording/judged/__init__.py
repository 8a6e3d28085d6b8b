"""What follows from figures, kept: judgements with their outlooks, comparisons, groups' figures and clinics."""
