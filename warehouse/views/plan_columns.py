"""SQL of what views say in one way of rows of the plan, each known by its alias."""

from cypp_etl.plan.model import DEFINITION_SEPARATOR
from schemas.plan import ABOUT_COLUMNS


def about_sql(row: str) -> str:
    """SQL of what the plan says about a row for people to read."""
    return ", ".join(f"nullif({row}.{name}, '') AS {name}" for name in ABOUT_COLUMNS)


def area_of_focus_sql(aspiration: str) -> str:
    """SQL of whether an aspiration is an area of focus: `yes`, `no`, or `in part` where only some of it is."""
    return f"""CASE WHEN NOT {aspiration}.is_area_of_focus THEN 'no'
                WHEN {aspiration}.focus_on = '' THEN 'yes' ELSE 'in part' END AS area_of_focus"""


def definition_sql(edition: str) -> str:
    """SQL of the full definition of an edition of an indicator."""
    parent, own = f"{edition}.parent_definition", f"{edition}.definition"
    return f"""CASE WHEN {parent} = '' THEN {own}
                ELSE {parent} || '{DEFINITION_SEPARATOR}' || {own} END AS definition"""
