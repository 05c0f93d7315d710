"""From what a person calls a model to the folder of its bundle."""

from pathlib import Path

from configs.paths import published_dir
from training.publish import champion_folder


def locate_bundle(name: str = "") -> Path:
    """Return the folder of a bundle given as a folder, a registry address, a version, an alias, or the champion."""
    if not name or name == "champion":
        return champion_folder(published_dir())
    if Path(name).is_dir():
        return Path(name)
    from training.registry import fetch_bundle

    return fetch_bundle(name)
