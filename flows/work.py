"""Where a training keeps what a killed run needs to go on: one folder for the same recipe, data and code."""

import fcntl
import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from configs.errors import SwitchboardError
from configs.paths import var_dir
from configs.recipe import Recipe

_RUN, _LOCK = "run.json", ".lock"


@dataclass(frozen=True, slots=True)
class Work:
    """The folder of one training under way."""

    folder: Path

    @property
    def run_id(self) -> str:
        """The MLflow run that was begun here, or nothing."""
        path = self.folder / _RUN
        return str(json.loads(path.read_text(encoding="utf-8"))["run"]) if path.exists() else ""

    def begin(self, run_id: str) -> None:
        """Remember the run, so that a resumed training goes on in it."""
        waiting = self.folder / f"{_RUN}.tmp"
        waiting.write_text(json.dumps({"run": run_id}), encoding="utf-8")
        waiting.replace(self.folder / _RUN)


def work_key(recipe: Recipe, *others: str) -> str:
    """Return the key under which the same training is found again."""
    return hashlib.sha256("\n".join([recipe.model_dump_json(), *others]).encode()).hexdigest()[:16]


def work_path(key: str) -> Path:
    """Return the folder of a training; it need not exist yet."""
    return var_dir() / "training" / key


@contextmanager
def work_folder(key: str) -> Iterator[Work]:
    """Yield the folder of a training, held by this process alone; it is removed when the block ends well."""
    folder = work_path(key)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SwitchboardError(f"{folder}: this very training is under way in another process") from None
        yield Work(folder)
        shutil.rmtree(folder, ignore_errors=True)
