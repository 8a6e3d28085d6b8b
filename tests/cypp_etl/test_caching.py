"""A function of an object is worked out once while the object lives."""

import gc

from cypp_etl.caching import once_for_each


class _Large:
    def __init__(self, rows: list[int]) -> None:
        self.rows = rows


def test_an_object_that_lives_is_asked_once():
    asked = []

    @once_for_each
    def total(large: _Large) -> int:
        asked.append(large.rows)
        return sum(large.rows)

    one, other = _Large([1, 2]), _Large([1, 2, 3])
    assert [total(one), total(other), total(one)] == [3, 6, 3]
    assert asked == [[1, 2], [1, 2, 3]]


def test_what_takes_a_dead_ones_place_is_asked_anew():
    total = once_for_each(lambda large: sum(large.rows))
    for number in range(50):
        # The next one mostly has the same address.
        assert total(_Large([number])) == number
        gc.collect()
