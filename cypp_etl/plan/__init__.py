"""The plan: partners, indicators, targets, calendar and milestones, read from its tables and checked."""
