"""What an inbox shares with groups is given to the same groups on a machine where they have other numbers."""

import grp
import os
from pathlib import Path

import pytest

from flows.backup.shares import Shares, names_of_groups

ELSEWHERE = 987_654
"""A number that is no group's here."""


@pytest.fixture
def own() -> grp.struct_group:
    return grp.getgrgid(os.getgid())


@pytest.fixture
def receipt(tmp_path: Path) -> Path:
    path = tmp_path / "a - accepted.xlsx"
    path.touch(mode=0o600)
    return path


def test_groups_are_known_by_their_names(own):
    assert names_of_groups({own.gr_gid, ELSEWHERE}) == {str(own.gr_gid): own.gr_name}


def test_a_group_with_another_number_here_gets_what_it_had(receipt, own):
    shares = Shares({str(ELSEWHERE): own.gr_name})
    shares.give(receipt, 0o660, ELSEWHERE)
    assert (receipt.stat().st_gid, receipt.stat().st_mode & 0o7777) == (own.gr_gid, 0o660)
    assert shares.sentences() == []


def test_what_is_of_a_group_that_is_not_here_is_the_owners_alone(receipt):
    shares = Shares({str(ELSEWHERE): "no-such-group"})
    shares.give(receipt, 0o2770, ELSEWHERE)
    assert receipt.stat().st_mode & 0o7777 == 0o700
    (sentence,) = shares.sentences()
    assert sentence.startswith("1 of the inbox could not be given to the group no-such-group, and is open to the owner")


def test_a_backup_of_before_has_numbers_alone(receipt, own):
    shares = Shares({})
    shares.give(receipt, 0o640, own.gr_gid)
    assert (receipt.stat().st_gid, receipt.stat().st_mode & 0o7777) == (own.gr_gid, 0o640)
