"""Figures as the command line gives them: one that no message shows is a dash to people and null to machines."""

from collections.abc import Mapping
from typing import Any


def shown(value: float, form: str = ".3f") -> str:
    """Return a figure in a format, or a dash as wide."""
    width = form.lstrip("+").partition(".")[0]
    return format(value, form) if value == value else format("-", f">{width or 5}")


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values that JSON can hold, in mappings and sequences too: what is not a number is null."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return plain(value)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and value != value else value
