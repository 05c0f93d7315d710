"""The published champion: a pointer file that names a bundle beside it; the service reads it and never MLflow."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from configs.errors import SwitchboardError
from configs.paths import published_dir

POINTER = "champion.json"


class Published(BaseModel):
    """What the pointer says: which folder, its digest, and the registry's name and version; more keys may come."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    folder: str
    digest: str
    version: str
    name: str
    published: str

    def path(self, base: Path) -> Path:
        """Return the bundle's folder; a pointer that leads out of the published folder is refused."""
        found = (base / self.folder).resolve()
        if found.parent != base.resolve():
            raise SwitchboardError(f"{base / POINTER}: folder {self.folder!r} does not lie beside it; promote again")
        return found


def read_published(base: Path | None = None) -> Published:
    """Return the champion's pointer, or say in one line how to get a champion."""
    path = (base or published_dir()) / POINTER
    try:
        return Published.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise SwitchboardError(
            "no champion yet; run `make demo`, or `switchboard train` and `switchboard promote`"
        ) from None
    except (OSError, ValidationError) as error:
        raise SwitchboardError(f"{path}: cannot be read ({str(error).splitlines()[0]}); promote again") from None


def champion_bundle(base: Path | None = None) -> tuple[Path, Published]:
    """Return the champion's bundle folder and its pointer."""
    base = base or published_dir()
    published = read_published(base)
    return published.path(base), published
