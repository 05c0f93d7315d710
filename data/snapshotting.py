"""Making a snapshot from the ledger: sides drawn, labels resolved, written whole or not at all."""

import fcntl
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import orjson

from configs.dataset import DatasetConfig, load_dataset_config
from configs.errors import SwitchboardError
from configs.taxonomy import load_taxonomy
from data.batches import batches
from data.ledger import Ledger, Selection, StoredMessage
from data.ledger.tombstones import MESSAGE
from data.resolution import ASKED, Resolved, resolve
from data.snapshot import (
    CUSTOMER,
    LATEST,
    MANIFEST,
    ROWS,
    SEED,
    Fingerprint,
    Manifest,
    Snapshot,
    SnapshotRow,
    read_manifest,
    schema,
    snapshots_dir,
    to_fields,
    verify,
)
from data.splits import place_new

_BATCH = 1000
_WAITING = ".waiting-"  # how the folder of a snapshot begins that is still being written


def make_snapshot(
    ledger: Ledger, config: DatasetConfig | None = None, on_rows: Callable[[int], None] = lambda rows: None,
    on_mended: Callable[[str], None] = lambda damage: None,
) -> Snapshot:  # fmt: skip
    """Return the snapshot of the ledger as it is now; one that is there already and whole is not written again.

    One that is there and damaged is put right in one step, and `on_mended` is told what was wrong with it.
    """
    config = config or load_dataset_config()
    place_new(ledger, config)
    with alone(), _waiting_folder() as waiting:
        tally = _write_rows(waiting / ROWS, resolved_rows(ledger, config), on_rows)
        if not tally.rows:
            raise SwitchboardError("the ledger has no labels yet; add some with `switchboard data import FILE`")
        manifest = _manifest(tally, config)
        folder = snapshots_dir() / manifest.id
        if not folder.exists():
            _write_manifest(waiting, manifest)
            waiting.rename(folder)
        else:
            if damage := _damage_of(folder, manifest):
                _mend(folder, waiting / ROWS, manifest)
                on_mended(damage)
            remove_strays(folder)
        write_whole(snapshots_dir() / LATEST, folder.name.encode())
    return Snapshot(folder, read_manifest(folder))


@contextmanager
def alone() -> Iterator[None]:
    """Keep the snapshots to oneself; what a killed writer left waiting is removed, since nobody can be writing it."""
    snapshots_dir().mkdir(parents=True, exist_ok=True)
    with (snapshots_dir() / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in snapshots_dir().glob(f"{_WAITING}*"):
            shutil.rmtree(left)
        yield


def _damage_of(folder: Path, manifest: Manifest) -> str:
    """Return what is wrong with a snapshot that should be as `manifest` says, or nothing."""
    try:
        found = read_manifest(folder)
        if found != manifest.model_copy(update={"created_at": found.created_at, "rows_file": found.rows_file}):
            return f"{folder / MANIFEST}: changed since it was made"
        verify(Snapshot(folder, found))
    except SwitchboardError as error:
        return str(error).partition(";")[0]  # the remedy is just being applied
    return ""


def _mend(folder: Path, rows: Path, manifest: Manifest) -> None:
    """Put whole rows into a damaged snapshot's place; the manifest names their file, and is what changes it."""
    rows_file = _new_rows_file()
    rows.rename(folder / rows_file)
    _write_manifest(folder, manifest.model_copy(update={"rows_file": rows_file}))


def resolved_rows(ledger: Ledger, config: DatasetConfig) -> Iterator[SnapshotRow]:
    """Yield every message on which a label stands, in the order they came, in bounded memory."""
    ledger.taxonomies.require(load_taxonomy())
    translations = ledger.taxonomies.translations()
    for batch in batches(ledger.messages.all(labelled=True), _BATCH):
        events = ledger.events.of(stored.message.id for stored in batch)
        chosen = ledger.selections.of(stored.message.id for stored in batch)
        forgotten = _forgotten(ledger, batch)  # whose texts the ledger gives up last
        for stored in batch:
            if stored.message.id in forgotten:
                continue
            said = events[stored.message.id]
            resolved = resolve(said, config.policy, translations)
            if resolved and stored.message.text:  # an erased one may still stand there by its id
                kind = SEED if any(one.event.origin == "seed" for one in said) else CUSTOMER
                quotes = stored.message.parent_id in forgotten
                message = replace(stored.message, parent_text="") if quotes else stored.message
                yield SnapshotRow(message, resolved.label, resolved.second, kind, resolved.origin,
                                  resolved.disputed, stored.side, stored.near_group,
                                  _is_drawn(resolved, chosen.get(stored.message.id, ())))  # fmt: skip


def _forgotten(ledger: Ledger, batch: Sequence[StoredMessage]) -> set[str]:
    """Return which of the messages, and of those that they answer, were forgotten."""
    ids = {name for stored in batch for name in (stored.message.id, stored.message.parent_id)}
    return ledger.tombstones.among(MESSAGE, ids)


def _is_drawn(resolved: Resolved, chosen: Iterable[Selection]) -> bool:
    """Return whether a message was drawn at random and labelled so, its prediction hidden, and a labeler decides.

    A label given in another batch makes no message a random one: it was asked for because of what the model said.
    """
    drawn = {one.batch for one in chosen if one.strategy == "random" and one.blind}
    answered = drawn if "" in resolved.batches else drawn & resolved.batches
    return resolved.origin in ASKED and bool(answered)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that readers find the old content or the new, never a part."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)


@dataclass
class _Tally:
    """What went by while the rows were written."""

    fingerprint: Fingerprint = field(default_factory=Fingerprint)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    sources: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    disputed: int = 0

    def add(self, row: SnapshotRow) -> None:
        self.fingerprint.add(row)
        self.counts.setdefault(row.side, Counter())[row.label] += 1
        self.sources[row.message.source] += 1
        self.kinds[row.kind] += 1
        self.rows += 1
        self.disputed += row.disputed


def _write_rows(path: Path, rows: Iterable[SnapshotRow], on_rows: Callable[[int], None]) -> _Tally:
    import pyarrow as pa
    import pyarrow.parquet as pq

    tally = _Tally()
    with pq.ParquetWriter(path, schema(), compression="zstd") as writer:
        for batch in batches(rows, _BATCH):
            for row in batch:
                tally.add(row)
            writer.write_table(pa.Table.from_pylist([to_fields(row) for row in batch], schema=schema()))
            on_rows(len(batch))
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return tally


def rewrite_rows(folder: Path, keep: Iterable[SnapshotRow], forgotten: int, as_made: bool = True) -> None:
    """Put fewer rows in a snapshot's place, after a person was forgotten; its id stays, its fingerprint does not.

    The manifest names the file of the rows, so that the snapshot is the old one until the new one is whole.
    `as_made`: its rows were the manifest's; else the old fingerprint stays, so that what was refused still is.
    """
    before, rows_file = read_manifest(folder), _new_rows_file()
    tally = _write_rows(folder / rows_file, keep, lambda rows: None)
    changed = _facts(tally) | {"forgotten": before.forgotten + forgotten, "rows_file": rows_file}
    if not as_made:
        changed["fingerprint"] = before.fingerprint
    _write_manifest(folder, before.model_copy(update=changed))


def _new_rows_file() -> str:
    return f"rows-{uuid4().hex[:12]}.parquet"


def _write_manifest(folder: Path, manifest: Manifest) -> None:
    write_whole(folder / MANIFEST, orjson.dumps(manifest.model_dump(mode="json"), option=orjson.OPT_INDENT_2))


def remove_strays(folder: Path) -> None:
    """Remove the rows that a snapshot no longer stands on: those from before a rewriting, and those of one cut off."""
    stands = read_manifest(folder).rows_file
    for path in folder.glob("*.parquet"):
        if path.name != stands:
            path.unlink()


def _manifest(tally: _Tally, config: DatasetConfig) -> Manifest:
    taxonomy = load_taxonomy()
    policy = config.policy.model_dump(mode="json")
    identity = orjson.dumps([tally.fingerprint.hex(), taxonomy.version, policy], option=orjson.OPT_SORT_KEYS)
    return Manifest.model_validate(
        {"id": sha256(identity).hexdigest()[:12], "created_at": datetime.now(UTC), "taxonomy_version": taxonomy.version,
         "labels": taxonomy.labels, "policy": policy} | _facts(tally))  # fmt: skip


def _facts(tally: _Tally) -> dict[str, object]:
    return {"fingerprint": tally.fingerprint.hex(), "rows": tally.rows, "disputed": tally.disputed,
            "counts": {side: dict(sorted(labels.items())) for side, labels in sorted(tally.counts.items())},
            "sources": dict(sorted(tally.sources.items())), "kinds": dict(sorted(tally.kinds.items()))}  # fmt: skip


@contextmanager
def _waiting_folder() -> Iterator[Path]:
    """Yield a folder beside the snapshots that is gone afterwards, unless it was renamed to be one."""
    waiting = Path(tempfile.mkdtemp(prefix=_WAITING, dir=snapshots_dir()))
    try:
        yield waiting
    finally:
        shutil.rmtree(waiting, ignore_errors=True)
