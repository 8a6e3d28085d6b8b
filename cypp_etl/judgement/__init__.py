"""Judgements: direction of travel, on target and bands, computed from figures and never typed."""
