"""A small file of labelled messages, and its import as the command makes it."""

import json
from pathlib import Path

from data.import_report import ImportReport
from data.importing import Import
from data.ledger import Ledger
from data.mapping import load_mapping
from data.sources import open_source

ROWS = [{"id": "1", "text": "Love it", "label": "praise", "author": "ann", "time": "2026-01-01T10:00:00Z", "channel": "x"},
        {"id": "2", "text": "Where is my parcel?", "label": "request", "second": ["abuse"], "thread_id": "t", "parent_id": "1",
         "parent_text": "Love it", "customer_id": "c"},
        {"id": "3", "text": "ok done", "label": "none"}]  # fmt: skip


def write(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def import_file(ledger: Ledger, target: Path | str, columns=(), labels=(), split: str = "", **options) -> ImportReport:
    flags = {name: options.pop(name) for name in ("source", "annotator", "id_prefix", "encoding") if name in options}
    mapping = load_mapping(None, columns, labels, **flags)
    return Import(open_source(str(target), mapping, split), mapping, **options).run(ledger)


def labels_of(ledger: Ledger) -> list[tuple[str, str]]:
    return [(stored.event.message_id, stored.event.label) for stored in ledger.events.all()]
