"""From values to one self-contained HTML page: escaped, in one style, loading nothing from anywhere."""

from collections.abc import Mapping
from math import isnan
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).parent


def render_page(template: str, values: Mapping[str, Any]) -> str:
    """Return the HTML of a template beside this file; a value that it names and does not get is an error."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "percent": percent, "place": place}
    style = (FOLDER / "page.css").read_text(encoding="utf-8")
    return environment.get_template(template).render(style=style, **values)


def write_page(html: str, path: Path) -> Path:
    """Write a page, with the folders above it, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html, encoding="utf-8")
    return path


def number(value: float | None, digits: int = 2) -> str:
    """Return a figure with fixed digits, a dash where there is none."""
    return "–" if value is None or isnan(value) else f"{value:.{digits}f}"


def percent(value: float | None, digits: int = 0) -> str:
    """Return a share in percent, a dash where there is none."""
    return "–" if value is None or isnan(value) else f"{100 * value:.{digits}f}%"


def place(value: float) -> str:
    """Return a share as a CSS length along a bar."""
    return f"{100 * min(1.0, max(0.0, 0.0 if isnan(value) else value)):.1f}%"
