"""What a form is called. Whoever only looks for one needs nothing of what writes workbooks."""

from cypp_etl.periods import Period


def template_file_name(partner_code: str, period: Period) -> str:
    """The file name of a form."""
    return f"{partner_code} {period.code}.xlsx"
