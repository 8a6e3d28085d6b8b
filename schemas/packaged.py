"""Tables that come with the program: CSV files in its packages."""

import csv
from importlib.resources import files


def read_rows(package: str, *path: str) -> list[dict[str, str]]:
    """The rows of a CSV file in a package, by the headings of its first line.

    Raises:
        FileNotFoundError: the package has no such file.
    """
    text = files(package).joinpath(*path).read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))
