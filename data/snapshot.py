"""The resolved labels at one moment, as Parquet and a manifest; the same ledger state gives the same fingerprint."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from configs.errors import SwitchboardError
from configs.loading import Config, parse_config
from configs.paths import var_dir
from configs.taxonomy import Taxonomy, load_taxonomy
from data.messages import LabelledMessage, Message

_MESSAGE = tuple(item.name for item in fields(Message))
ROWS, MANIFEST, LATEST = "rows.parquet", "manifest.json", "LATEST"
SEED, CUSTOMER = "seed", "customer"
_REMEDY = "make a new snapshot with `switchboard data snapshot`"


class Manifest(Config):
    """What a snapshot holds and how it came about; `fingerprint` covers every row, whatever their order."""

    id: str
    fingerprint: str
    created_at: datetime
    taxonomy_version: str
    labels: tuple[str, ...]
    policy: dict[str, Any]
    rows: int
    counts: dict[str, dict[str, int]]  # side -> label -> rows
    sources: dict[str, int]
    kinds: dict[str, int]
    disputed: int
    forgotten: int = 0
    rows_file: str = ROWS  # another once a person was forgotten, so that rows and manifest change in one step


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """A message with the label that stands; `kind` tells seed rows from customer rows.

    `drawn`: chosen at random and labelled without seeing the prediction, so that such rows are a fair sample.
    """

    message: Message
    label: str
    second: tuple[str, ...]
    kind: str
    origin: str
    disputed: bool
    side: str
    near_group: str
    drawn: bool = False

    def labelled(self) -> LabelledMessage:
        """Return what training reads."""
        return LabelledMessage(self.message, self.label, self.second)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot on disk."""

    folder: Path
    manifest: Manifest

    @property
    def path(self) -> Path:
        """The Parquet file that the manifest was written for."""
        return self.folder / self.manifest.rows_file

    def rows(self, side: str = "") -> Iterator[SnapshotRow]:
        """Yield the rows, of one side (train, test, quarantined) if given, in bounded memory.

        Whoever reads to the end has the rows that the manifest was written for; others are refused there.
        """
        fingerprint = Fingerprint()
        for row in self.rows_as_found():
            fingerprint.add(row)
            if not side or row.side == side:
                yield row
        if fingerprint.hex() != self.manifest.fingerprint:
            raise SwitchboardError(f"{self.path}: does not match its manifest; {_REMEDY}")

    def rows_as_found(self) -> Iterator[SnapshotRow]:
        """Yield the rows of the file, whether or not they are the manifest's, in bounded memory."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(self.path) as file:
                for batch in file.iter_batches(batch_size=1024):
                    for fields in batch.to_pylist():
                        yield _from_fields(fields)
        except (OSError, ValueError, LookupError, TypeError, pa.ArrowException):  # by where the damage is
            raise SwitchboardError(f"{self.path}: missing or damaged; {_REMEDY}") from None

    def labelled(self, side: str) -> list[LabelledMessage]:
        """Return the labelled messages of one side."""
        return [row.labelled() for row in self.rows(side)]


class Fingerprint:
    """A digest of a set of rows that does not depend on their order, fed row by row."""

    def __init__(self) -> None:
        self._sum = 0

    def add(self, row: SnapshotRow) -> None:
        """Take one row in."""
        self._sum = (self._sum + int.from_bytes(digest(row), "big")) % 2**256

    def hex(self) -> str:
        """Return the digest of all rows so far."""
        return hashlib.sha256(self._sum.to_bytes(32, "big")).hexdigest()


def snapshots_dir() -> Path:
    """Return the folder of all snapshots; it need not exist yet."""
    return var_dir() / "snapshots"


def load_snapshot(name: str = "latest", taxonomy: Taxonomy | None = None) -> Snapshot:
    """Return a snapshot by `latest`, its id, the beginning of its id, or its folder; another taxonomy's is refused."""
    taxonomy = taxonomy or load_taxonomy()
    folder = _find(name)
    manifest = read_manifest(folder)
    if manifest.taxonomy_version != taxonomy.version or manifest.labels != taxonomy.labels:
        raise SwitchboardError(
            f"{folder}: is of taxonomy {manifest.taxonomy_version!r}, the configured one is {taxonomy.version!r}; make a new "
            "one with `switchboard data snapshot` (after `switchboard data migrate MAPPING` where labels changed)"
        )
    return Snapshot(folder, manifest)


def verify(snapshot: Snapshot) -> None:
    """Refuse a snapshot whose rows are not those its manifest was written for."""
    for _ in snapshot.rows():
        pass


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest in a snapshot's folder."""
    path = folder / MANIFEST
    try:
        values = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        raise SwitchboardError(f"{path}: missing or damaged; {_REMEDY}") from None
    return parse_config(Manifest, values, source=str(path))


def all_snapshots() -> list[Path]:
    """Return the folders of all snapshots, by name."""
    return sorted(path.parent for path in snapshots_dir().glob(f"[!.]*/{MANIFEST}"))


def digest(row: SnapshotRow) -> bytes:
    """Return a digest of everything a row says."""
    fields = to_fields(row)
    if not row.drawn:
        del fields["drawn"]  # older snapshots do not have it and keep their fingerprints
    return hashlib.sha256(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)).digest()


def to_fields(row: SnapshotRow) -> dict[str, Any]:
    """Return a row as the flat columns of the Parquet file."""
    own = {"label": row.label, "second": list(row.second), "kind": row.kind, "origin": row.origin,
           "disputed": row.disputed, "side": row.side, "near_group": row.near_group,
           "drawn": row.drawn}  # fmt: skip
    return {name: getattr(row.message, name) for name in _MESSAGE} | own


@cache
def schema() -> Any:
    """Return the Parquet file's schema."""
    import pyarrow as pa

    words = ("id", "text", "channel", "author", "thread_id", "parent_id", "parent_text", "customer_id", "source",
             "label", "kind", "origin", "side", "near_group")  # fmt: skip
    others = {"time": pa.timestamp("us", tz="UTC"), "second": pa.list_(pa.string()), "disputed": pa.bool_(),
              "drawn": pa.bool_()}  # fmt: skip
    return pa.schema({name: pa.string() for name in words} | others)


def _find(name: str) -> Path:
    if name == "latest":
        try:
            return snapshots_dir() / (snapshots_dir() / LATEST).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            raise SwitchboardError("there is no snapshot yet; make one with `switchboard data snapshot`") from None
    if (Path(name) / MANIFEST).is_file():
        return Path(name)
    found = [folder for folder in all_snapshots() if folder.name.startswith(name)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(folder.name for folder in found or all_snapshots()) or "none"
    raise SwitchboardError(f"no single snapshot is called {name!r}; there are: {known}")


def _from_fields(fields: dict[str, Any]) -> SnapshotRow:
    own = {name: fields.pop(name) for name in ("label", "kind", "origin", "disputed", "side", "near_group")}
    second, drawn = tuple(fields.pop("second")), bool(fields.pop("drawn", False))  # older snapshots do not say
    return SnapshotRow(Message(**fields), second=second, drawn=drawn, **own)
