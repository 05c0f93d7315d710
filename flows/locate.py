"""From what a person calls a model to the folder of its bundle."""

from pathlib import Path
from typing import TYPE_CHECKING

from configs.errors import SwitchboardError
from configs.paths import published_dir, tracking_uri
from training.publish import champion_folder

if TYPE_CHECKING:
    from training.registry import Registry


def locate_bundle(name: str = "") -> Path:
    """Return the folder of a bundle given as a folder, a registry address, a version, an alias, or the champion."""
    if not name or name == "champion":
        return champion_folder(published_dir())
    if Path(name).is_dir():
        return Path(name)
    from training.registry import fetch_bundle

    return fetch_bundle(name)


def open_registry() -> "Registry":
    """Return the registry that there is; where there is none, none is made, and MLflow is not loaded."""
    uri = tracking_uri()
    if uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).exists():
        raise SwitchboardError(f"{uri}: there is no registry")
    from training.registry import Registry

    return Registry(uri)
