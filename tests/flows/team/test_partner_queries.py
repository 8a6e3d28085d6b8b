"""Open queries in lines: of a hundred partners, some are named and the others counted."""

from flows.team.partner_queries import open_in_lines


def test_of_many_partners_ten_are_named() -> None:
    rows = [{"period": "2010-11Q1", "partner_code": f"p{number:03}"} for number in range(153)]
    (line,) = open_in_lines(rows)
    assert line.startswith("2010-11Q1, open queries: p000 1, p001 1, ")
    assert line.endswith("p009 1 and 143 more")
    (few,) = open_in_lines(rows[:10])
    assert few.endswith("p008 1, p009 1")
