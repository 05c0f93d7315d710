"""Who is addressed: the company's own names and handles, and its competitors'."""

from functools import cache
from pathlib import Path

from configs.loading import Config, load_config
from configs.paths import CONFIGS


class Company(Config):
    """Names and handles (without @), compared without case."""

    names: tuple[str, ...] = ()
    handles: tuple[str, ...] = ()
    competitor_names: tuple[str, ...] = ()
    competitor_handles: tuple[str, ...] = ()


@cache
def load_company(path: Path = CONFIGS / "company.yaml") -> Company:
    """Return the company in a file, read once."""
    return load_config(Company, path)
