"""The words that messages are put together from."""

from datetime import date

from cypp_etl.phrases import date_text, in_list, quoted, short_list, shorten


def test_words_are_listed_as_sentences_do() -> None:
    assert [in_list(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]


def test_no_list_in_a_line_is_long() -> None:
    assert short_list([]) == "none"
    assert short_list([str(number) for number in range(10)]) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    assert short_list([str(number) for number in range(5000)]).endswith("8, 9 and 4,990 more")


def test_what_was_typed_fits_into_a_sentence() -> None:
    assert shorten("a\n b") == "a b"
    assert shorten("x" * 80) == "x" * 80
    assert shorten("x" * 81) == "x" * 79 + "…"
    assert [quoted("a"), quoted("")] == ['"a"', "blank"]


def test_a_day_is_written_without_a_zero() -> None:
    assert [date_text(date(2010, 6, day)) for day in (1, 30)] == ["1 June 2010", "30 June 2010"]
