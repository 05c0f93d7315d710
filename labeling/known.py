"""What is remembered of the server to save asking: tasks that are there, and how far was pulled.

The server is the truth. This file may be lost at any time: the next push and pull only take longer.
"""

import fcntl
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from configs.errors import SwitchboardError
from configs.paths import var_dir
from labeling.tasks import Key

_TABLES = """
CREATE TABLE IF NOT EXISTS tasks (project TEXT, batch TEXT, message TEXT, task INTEGER, PRIMARY KEY (project, batch, message));
CREATE TABLE IF NOT EXISTS cursors (project TEXT PRIMARY KEY, seen TEXT);
CREATE TABLE IF NOT EXISTS swept (project TEXT PRIMARY KEY, task INTEGER);
"""


class Known:
    """Tasks and cursors by project."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, timeout=30)
        self._connection.executescript(_TABLES)

    def add(self, project: str, tasks: Iterable[tuple[Key, int]], swept: int | None = None) -> None:
        """Remember tasks, and that every task up to the id `swept` was looked at."""
        with self._connection:
            rows = [(project, batch, message, task) for (batch, message), task in tasks]
            self._connection.executemany("INSERT OR REPLACE INTO tasks VALUES (?, ?, ?, ?)", rows)
            if swept is not None:
                self._connection.execute("INSERT OR REPLACE INTO swept VALUES (?, ?)", (project, swept))

    def remove(self, project: str, tasks: Iterable[int]) -> None:
        """Forget tasks that were deleted."""
        with self._connection:
            self._connection.executemany(
                "DELETE FROM tasks WHERE project = ? AND task = ?", [(project, t) for t in tasks]
            )

    def tasks(self, project: str) -> dict[Key, int]:
        """Return the ids of the tasks that are there."""
        rows = self._connection.execute("SELECT batch, message, task FROM tasks WHERE project = ?", (project,))
        return {(batch, message): task for batch, message, task in rows}

    def swept(self, project: str) -> int:
        """Return the id up to which every task was looked at."""
        row = self._connection.execute("SELECT task FROM swept WHERE project = ?", (project,)).fetchone()
        return row[0] if row else 0

    def cursor(self, project: str) -> str:
        """Return the time of change up to which tasks were pulled; empty before the first pull."""
        row = self._connection.execute("SELECT seen FROM cursors WHERE project = ?", (project,)).fetchone()
        return row[0] if row else ""

    def move_cursor(self, project: str, seen: str) -> None:
        """Remember how far was pulled."""
        with self._connection:
            self._connection.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?)", (project, seen))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


@contextmanager
def opened(folder: Path | None = None) -> Iterator[Known]:
    """Yield what is known, alone: a second push or pull at the same time is refused; the lock dies with us."""
    folder = folder or var_dir() / "labeling"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SwitchboardError("another push or pull is under way; wait for it to finish") from None
        known = Known(folder / "known.db")
        try:
            yield known
        finally:
            known.close()
