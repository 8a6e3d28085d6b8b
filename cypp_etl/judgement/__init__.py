"""Judgements: direction of travel, on target and bands, computed from figures and never typed."""

RULES_VERSION = 1
"""The version of the rules in this folder whose results a warehouse stores.

Raise it by one with any change after which the same figures and the same plan give another result: a direction, a
target, a band, a year to date, a comparator, a group's figure or note, a clinic, or an outlook. The next upgrade of a
warehouse then judges again what is in force in it. Otherwise old rows would stay as they are until a figure happens to
reach them, and the next plan would be blamed for what changes. What is computed whenever it is read (explanations,
ranks) needs no new version.

Version 1 knows the course of sums that some quarters do not ask for, and asks for every partner's figures where a
group's ratio adds up over the year; warehouses of before have no version.
"""
