"""The places under var/ that hold texts beside the ledger: snapshots, spill files, caches and reports."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson

from configs.errors import SwitchboardError
from configs.paths import var_dir
from data.erasure import Erasure, Store
from data.snapshot import Fingerprint, Snapshot, SnapshotRow, read_manifest, snapshots_dir
from data.snapshotting import alone, remove_strays, rewrite_rows
from data.sources import datasets_cache

_REPORTS = (".html", ".md", ".json", ".csv", ".txt", ".parquet", ".png", ".svg")
# Their files carry digests or belong to another program, so they are never edited, only named.
_SEALED = ("published", "bundles", "mlruns", "mlartifacts", "label-studio")
_LEDGER_ENDS = ("", "-wal", "-shm", "-journal")  # SQLite's files; keys of events stay in them, words do not
_CHUNK = 1 << 22


def local_stores() -> tuple[Store, ...]:
    """Return the stores of this machine, in the order they are to be erased."""
    return (
        Store("snapshots", _from_snapshots),
        Store("spill files", _from_lines),
        Store("datasets cache", _from_cache),
        Store("reports", _from_reports),
    )


def other_files(ledger_file: Path | None) -> Store:
    """Return whatever else lies under var/, to be searched when all stores were reached; but not the ledger's own files."""

    def name(erasure: Erasure) -> tuple[int, list[str]]:
        own = {f"{ledger_file.resolve()}{end}" for end in _LEDGER_ENDS} if ledger_file else set()
        files = (path for path in _files(var_dir()) if snapshots_dir() not in path.parents)
        found = (path for path in files if str(path.resolve()) not in own and _holds(path, erasure))
        return 0, [f"{path}: still holds a trace of it; remove it by hand" for path in found]

    return Store("other files", name)


def _from_snapshots(erasure: Erasure) -> tuple[int, list[str]]:
    """Rewrite every snapshot that can be read, and only then say which cannot."""
    if not snapshots_dir().is_dir():
        return 0, []
    erased, damaged = 0, []
    with alone():  # of two that rewrite at once, one would bring back what the other erased
        for folder in sorted(path for path in snapshots_dir().iterdir() if path.is_dir()):
            try:
                erased += _from_snapshot(folder, erasure)
            except SwitchboardError:
                damaged.append(str(folder))
    if damaged:
        raise SwitchboardError(f"{', '.join(damaged)}: damaged, what stands there cannot be read; remove it by hand")
    return erased, []


def _from_snapshot(folder: Path, erasure: Erasure) -> int:
    snapshot = Snapshot(folder, read_manifest(folder))
    fingerprint, gone, quotes = Fingerprint(), 0, 0
    for row in snapshot.rows_as_found():
        fingerprint.add(row)
        gone += _is_gone(row, erasure)
        quotes += row.message.parent_id in erasure.ids and bool(row.message.parent_text)
    try:
        if gone or quotes:
            as_made = fingerprint.hex() == snapshot.manifest.fingerprint
            rewrite_rows(folder, _kept(snapshot, erasure), gone, as_made)
    finally:
        remove_strays(folder)
    return gone


def _kept(snapshot: Snapshot, erasure: Erasure) -> Iterator[SnapshotRow]:
    for row in snapshot.rows_as_found():
        if not _is_gone(row, erasure):
            quotes = row.message.parent_id in erasure.ids
            yield replace(row, message=replace(row.message, parent_text="")) if quotes else row


def _is_gone(row: SnapshotRow, erasure: Erasure) -> bool:
    return row.message.id in erasure.ids or bool(erasure.author and row.message.author == erasure.author)


def _from_lines(erasure: Erasure) -> tuple[int, list[str]]:
    """Blank lines in place, without moving any byte, because their writer may be adding to the file just now.

    Spilled records lose words and author only, so that the ledger gets the decision.
    """
    erased, spilled = 0, var_dir() / "spill"
    for path in var_dir().rglob("*.jsonl"):
        if _is_sealed(path):
            continue
        with path.open("r+b") as file:
            while True:
                start, line = file.tell(), file.readline()
                if not line:
                    break
                left = _without(line.rstrip(b"\n"), erasure, path.parent == spilled)
                if left is not None:
                    file.seek(start)
                    file.write(left.ljust(len(line.rstrip(b"\n"))))
                    file.seek(start + len(line))
                    erased += 1
    return erased, []


def _without(line: bytes, erasure: Erasure, is_spilled: bool) -> bytes | None:
    """Return what may stay of a line, never more than there was; None where nothing has to go."""
    try:
        value = json.loads(line)
    except ValueError:
        return b"" if any(trace in line for trace in erasure.traces()) else None
    if not erasure.concerns(value):
        cleared = erasure.without_quotes(value)
    elif is_spilled and isinstance(value, dict) and value.get("kind") in ("decision", "feedback"):
        cleared = erasure.without_person(value)
    else:
        return b""
    if cleared == value:
        return None
    left = orjson.dumps(cleared)
    return left if len(left) <= len(line) else b""


def _from_cache(erasure: Erasure) -> tuple[int, list[str]]:
    """Remove the copies that `datasets` made; they are copies of what is elsewhere, and made again when needed."""
    if not datasets_cache().exists():
        return 0, []
    shutil.rmtree(datasets_cache())
    return 1, ["datasets cache: removed as a whole; the folder or hub data set it was copied from is yours to change"]


def _from_reports(erasure: Erasure) -> tuple[int, list[str]]:
    """Remove reports that quote a message; they are written again from what is left."""
    found = [path for path in _files(var_dir() / "reports") if path.suffix in _REPORTS and _holds(path, erasure)]
    for path in found:
        path.unlink()
    return len(found), []


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def _is_sealed(path: Path) -> bool:
    return any(part in _SEALED for part in path.relative_to(var_dir()).parts)


def _holds(path: Path, erasure: Erasure) -> bool:
    traces = erasure.traces()
    longest = max(map(len, traces), default=1)
    tail = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if any(trace in tail + chunk for trace in traces):
                return True
            tail = chunk[-longest:]
    return False
