"""A digest of the code that decides what a network learns, for what is kept from one training to the next."""

import ast
import hashlib
from pathlib import Path

from configs.paths import PROJECT

_ROOMS = ("training", "data")  # what configs holds are values, which are recorded themselves


def digest_of_code(*modules: str, root: Path = PROJECT) -> str:
    """Return the SHA-256 of modules and of all that they import of training and data; comments and layout do not count."""
    found: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = root / f"{name.replace('.', '/')}.py"
        if name in found or name.partition(".")[0] not in _ROOMS or not path.is_file():
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found[name] = ast.dump(tree)
        waiting += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    return hashlib.sha256(repr(sorted(found.items())).encode()).hexdigest()
