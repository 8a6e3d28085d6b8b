"""The direction of imports, the places of the frameworks, and the size of modules, read from the source itself."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Each may import what stands to its right, and nothing to its left.
LAYERS = ("flows", "warehouse", "cypp_etl", "schemas")
MODULES = sorted(path.relative_to(ROOT) for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))
MOST_LINES = 400


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """Every import of a module, also those within functions, as the module and the name taken from it."""
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield from ((node.module or "", alias.name) for alias in node.names)


def packages(path: Path) -> set[str]:
    return {module.partition(".")[0] for module, _ in imports(path)}


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_point_to_the_right(path):
    own = LAYERS.index(path.parts[0])
    assert not packages(path) & set(LAYERS[:own])
    assert not packages(path) & {"tests", "benchmarks"}


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_prefect_is_imported_in_flows_alone(path):
    assert path.parts[0] == "flows" or "prefect" not in packages(path)


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_sqlalchemy_is_imported_in_the_warehouse_alone(path):
    """Flows may name its exceptions, to tell what will pass by itself, and the types of what they hand on."""
    if path.parts[0] == "warehouse":
        return
    taken = {(module, name) for module, name in imports(path) if module.partition(".")[0] in ("sqlalchemy", "alembic")}
    if path.parts[0] == "flows":
        taken -= {("sqlalchemy", name) for name in ("Engine", "Connection", "RowMapping")}
        taken = {(module, name) for module, name in taken if module != "sqlalchemy.exc"}
    assert not taken


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_modules_are_small_and_say_why_they_exist(path):
    source = (ROOT / path).read_text("utf-8")
    assert len(source.splitlines()) <= MOST_LINES
    assert ast.get_docstring(ast.parse(source))
    assert path.stem not in ("utils", "helpers", "common", "misc")


def test_checking_starts_without_prefect_and_sqlalchemy():
    """A partner may check a return at home, and in under a second."""
    import subprocess
    import sys

    code = "import sys, cypp_etl.checking; print(sorted({'prefect', 'sqlalchemy', 'openpyxl'} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).strip() == "[]"
