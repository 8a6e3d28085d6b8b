"""The direction of imports, the places of the frameworks, and the size of folders, read from the source itself."""

import ast
import graphlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Each may import those to its right, and none to its left.
LAYERS = ("flows", "warehouse", "cypp_etl", "schemas")
MODULES = sorted(path.relative_to(ROOT) for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))
MOST_MODULES = 15
MIGRATIONS = Path("warehouse/migrations/versions")


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text("utf-8"))


@cache
def imports(path: Path) -> list[tuple[str, str]]:
    """Every import of a module, including those within functions, as the module and the imported name."""
    return list(_imports(path))


def _imports(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield from ((node.module or "", alias.name) for alias in node.names)


def packages(path: Path) -> set[str]:
    return {module.partition(".")[0] for module, _ in imports(path)}


def test_imports_point_to_the_right():
    found = {
        str(path): packages(path) & {*LAYERS[: LAYERS.index(path.parts[0])], "tests", "benchmarks"} for path in MODULES
    }
    assert {path: astray for path, astray in found.items() if astray} == {}


def test_tests_need_no_benchmark():
    """What both use is in `tests/support/`."""
    tests = [path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.py")]
    assert [str(path) for path in tests if "benchmarks" in packages(path)] == []


def test_prefect_is_imported_in_flows_alone():
    assert [str(path) for path in MODULES if path.parts[0] != "flows" and "prefect" in packages(path)] == []


def test_sqlalchemy_is_imported_in_the_warehouse_alone():
    """Flows may import its exceptions, to recognise temporary failures, and the types of what they pass on."""
    found = {str(path): taken_of_sqlalchemy(path) for path in MODULES if path.parts[0] != "warehouse"}
    assert {path: taken for path, taken in found.items() if taken} == {}


def taken_of_sqlalchemy(path: Path) -> set[tuple[str, str]]:
    taken = {(module, name) for module, name in imports(path) if module.partition(".")[0] in ("sqlalchemy", "alembic")}
    if path.parts[0] == "flows":
        taken -= {("sqlalchemy", name) for name in ("Engine", "Connection", "RowMapping")}
        taken = {(module, name) for module, name in taken if module != "sqlalchemy.exc"}
    return taken


def test_modules_say_why_they_exist():
    assert [str(path) for path in MODULES if not ast.get_docstring(parsed(path))] == []
    assert [str(path) for path in MODULES if path.stem in ("utils", "helpers", "common", "misc")] == []


def test_no_format_of_a_day_is_one_systems_own():
    """`%-d` is an error on Windows, and `%#d` elsewhere: `cypp_etl.phrases.date_text` writes a day out."""
    written = {str(path): re.findall(r"%[-#][A-Za-z]", (ROOT / path).read_text("utf-8")) for path in MODULES}
    assert {path: found for path, found in written.items() if found} == {}


def folder_of(module: str) -> str:
    """The folder inside a package that a module is in, "" for the package itself."""
    parts = module.split(".")[1:]
    return parts[0] if parts and (ROOT / module.split(".", maxsplit=1)[0] / parts[0]).is_dir() else ""


@pytest.mark.parametrize("layer", LAYERS)
def test_folders_import_in_one_direction(layer):
    """Inside a package too: no folder imports, directly or indirectly, a folder that imports it.

    A module in the package itself counts as a separate folder.
    """
    needed: dict[str, set[str]] = {}
    for path in MODULES:
        if path.parts[0] != layer or path.name == "__init__.py":
            continue
        own = path.parts[1] if len(path.parts) > 2 else path.name
        for module, name in imports(path):
            if module.partition(".")[0] != layer:
                continue
            whole = ROOT.joinpath(*module.split("."), f"{name}.py")
            target = f"{module}.{name}" if whole.exists() else module
            other = folder_of(target) or f"{target.split('.')[-1]}.py"
            if other != own:
                needed.setdefault(own, set()).add(other)
    graphlib.TopologicalSorter(needed).prepare()


def test_queries_record_nothing():
    """What both need of figures, and of what judging says of them, is in `warehouse/figures/`."""
    readers = [path for path in MODULES if path.parts[:2] in (("warehouse", "queries"), ("warehouse", "figures"))]
    found = {str(path): [module for module, _ in imports(path) if "recording" in module.split(".")] for path in readers}
    assert readers and {path: astray for path, astray in found.items() if astray} == {}


# A migration stays where it is, with its number: nobody looks for anything among them.
FOLDERS = sorted({path.parent for path in MODULES} - {MIGRATIONS})


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_folders_hold_what_can_be_seen_at_once(folder):
    modules = [path for path in MODULES if path.parent == folder and path.name != "__init__.py"]
    # Migrations are a record, to which each step adds one that nobody changes again.
    assert len(modules) <= MOST_MODULES or folder == MIGRATIONS


def test_checking_starts_without_prefect_and_sqlalchemy():
    """A partner can check a return at home, in under a second."""
    import subprocess
    import sys

    code = (
        "import sys, cypp_etl.checking.checker; print(sorted({'prefect', 'sqlalchemy', 'openpyxl'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).strip() == "[]"


def test_commands_that_only_read_or_decide_start_without_pandas():
    """It takes as long to import as all else that `cypp status` does; and what distributes a backfill needs none."""
    import subprocess
    import sys

    commands = ("administration", "backfill", "clinics", "decisions", "ingest", "plan", "status")
    modules = ", ".join(f"flows.cli.commands.{name}" for name in commands)
    code = f"import sys, {modules}, flows.bulk.process_pool; print(sorted({{'numpy', 'pandas'}} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).strip() == "[]"
