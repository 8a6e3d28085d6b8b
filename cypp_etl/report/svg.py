"""Drawings as inline SVG. What many charts of a page have alike is drawn in the first, and used by the others."""

from collections.abc import Iterable

from markupsafe import Markup

from cypp_etl.escapes import for_html
from cypp_etl.report.charts import Drawing, Mark


class Pencil:
    """Draws the drawings of one page."""

    def __init__(self) -> None:
        """Nothing has been drawn."""
        self._drawn: dict[str, str] = {}

    def draw(self, drawing: Drawing | None) -> Markup:
        """A drawing with its title, or nothing where there is none."""
        if drawing is None:
            return Markup()
        parts = [
            f'<svg class="{drawing.style}" role="img" viewBox="0 0 {drawing.width} {drawing.height}">'
            f"<title>{for_html(drawing.title)}</title>"
        ]
        if drawing.grid:
            parts.append(self._shared(f'<path class="level" d="{drawing.grid}"/>'))
            parts.append(self._shared(f'<g class="on">{_texts(drawing.periods)}</g>'))
            parts.append(self._shared(f'<g class="at">{_texts(drawing.levels)}</g>'))
        if drawing.names:
            keys = "".join(f'<path class="{one.style}" d="{one.key}"/>' for one in drawing.curves)
            parts.append(self._shared(f"{keys}{_texts(drawing.names)}"))
        if drawing.unit:
            parts.append(self._shared(f'<g class="unit">{_texts(drawing.unit)}</g>'))
        for curve in drawing.curves:
            parts.append(f'<path class="{curve.style}" d="{curve.path}"/>')
            if curve.dots:
                parts.append(f'<path class="dots" d="{curve.dots}"/>')
        return Markup("".join([*parts, "</svg>"]))  # noqa: S704 - all of it is escaped, or our own

    def _shared(self, content: str) -> str:
        """What other charts of the page have too: written once, with a name."""
        if content in self._drawn:
            return f'<use href="#{self._drawn[content]}"/>'
        name = self._drawn[content] = f"d{len(self._drawn) + 1}"
        return f'<g id="{name}">{content}</g>'


def _texts(marks: Iterable[Mark]) -> str:
    return "".join(f'<text x="{one.x:g}" y="{one.y:g}">{for_html(one.text)}</text>' for one in marks)
