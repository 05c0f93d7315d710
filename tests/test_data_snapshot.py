"""Snapshots: the same state, the same fingerprint; whole or not at all; what is damaged or another taxonomy's refused."""

import json
import os
import random
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import pytest

from configs.errors import SwitchboardError
from configs.taxonomy import load_taxonomy
from data import snapshotting
from data.difference import compare
from data.ledger import LabelEvent, Ledger, Selection, open_ledger
from data.messages import Message
from data.seeding import add_seed
from data.snapshot import MANIFEST, Snapshot, all_snapshots, load_snapshot, snapshots_dir, verify
from data.snapshotting import make_snapshot
from tests.snapshots import DAMAGES, leave_waiting

WORDS = [
    first + last
    for first in ("par", "tick", "rout", "fast", "cold", "blue", "lamp")
    for last in ("ling", "et", "son", "ope", "ury", "ax")
]
LABELS = [*load_taxonomy().labels, "none"]


def _fill(ledger: Ledger, numbers, label: str = "") -> None:
    for number in numbers:
        words = random.Random(number).sample(WORDS, 12)
        message = Message(" ".join(words), f"m{number}", author=f"a{number}", source="crm",
                          time=datetime(2026, 1, 1, number % 24, tzinfo=UTC), thread_id=f"t{number}", customer_id="c")  # fmt: skip
        ledger.messages.add([message])
        said = label or LABELS[number % 9]
        ledger.events.append([LabelEvent(key=f"{number}:{said}", message_id=f"m{number}", label=said, annotator="ann",
                                         origin="labeler", second=() if said == "lead" else ("lead",))])  # fmt: skip


def test_a_snapshot_holds_what_the_ledger_says(var_dir: Path, ledger: Ledger):
    _fill(ledger, range(90))
    snapshot = make_snapshot(ledger)
    rows = {row.message.id: row for row in snapshot.rows()}
    assert [rows[f"m{number}"].label for number in range(90)] == [LABELS[number % 9] for number in range(90)]
    assert rows["m3"].message == ledger.messages.get(["m3"])["m3"].message
    assert {row.side for row in rows.values()} == {"train", "test"}
    assert len(snapshot.labelled("train")) + len(snapshot.labelled("test")) == snapshot.manifest.rows == 90
    assert snapshot.manifest.sources == {"crm": 90}
    assert sum(sum(labels.values()) for labels in snapshot.manifest.counts.values()) == 90
    verify(load_snapshot())


def test_the_same_state_gives_the_same_fingerprint_in_whatever_order_it_came(var_dir: Path, tmp_path: Path):
    made = []
    for name, numbers in (("a", range(40)), ("b", reversed(range(40)))):
        with open_ledger(f"sqlite:///{tmp_path / name}.db") as ledger:
            _fill(ledger, numbers)
            made += [make_snapshot(ledger), make_snapshot(ledger)]
    assert len({snapshot.manifest.fingerprint for snapshot in made}) == 1
    assert len(all_snapshots()) == 1


def test_a_new_label_gives_another_fingerprint_and_diff_names_it(var_dir: Path, ledger: Ledger):
    _fill(ledger, range(20))
    before = make_snapshot(ledger)
    _fill(ledger, [3], label="fraud")
    _fill(ledger, [30])
    difference = compare(before, make_snapshot(ledger))
    assert (difference.added, difference.removed, difference.relabelled) == (("m30",), (), {"m3": (LABELS[3], "fraud")})
    assert load_snapshot(before.manifest.id[:6]).manifest == before.manifest


def test_diff_names_rows_that_changed_in_anything_but_their_label(var_dir: Path, ledger: Ledger):
    _fill(ledger, range(20))
    before = make_snapshot(ledger)
    ledger.events.append([LabelEvent(key="reviewed", message_id="m4", label=LABELS[4], annotator="bob", origin="review"),
                          LabelEvent(key="also", message_id="m5", label=LABELS[5], second=("none",), annotator="ann",
                                     origin="labeler")])  # fmt: skip
    ledger.selections.append([Selection(message_id="m6", batch="b", strategy="random", blind=True)])
    now = make_snapshot(ledger)
    difference = compare(before, now)
    assert (difference.added, difference.removed, difference.relabelled) == ((), (), {})
    assert difference.changed == tuple(key for key in ("m4", "m5", "m6") if _row_of(before, key) != _row_of(now, key))
    assert difference.changed[:2] == ("m4", "m5")
    assert compare(now, now).changed == ()


def _row_of(snapshot: Snapshot, key: str):
    return next(row for row in snapshot.rows() if row.message.id == key)


def test_the_test_side_only_grows(var_dir: Path, ledger: Ledger):
    tests = []
    for upto in (60, 120):
        _fill(ledger, range(upto - 60, upto))
        tests.append({row.message.id for row in make_snapshot(ledger).rows("test")})
    assert tests[0] < tests[1]


def test_a_failure_midway_leaves_nothing_behind(var_dir: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch):
    _fill(ledger, range(5))
    monkeypatch.setattr(snapshotting, "_manifest", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        make_snapshot(ledger)
    assert [path.name for path in snapshots_dir().iterdir()] == [".lock"]


def test_an_empty_ledger_makes_no_snapshot(var_dir: Path, ledger: Ledger):
    with pytest.raises(SwitchboardError, match="no labels yet"):
        make_snapshot(ledger)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_snapshot_is_refused_by_whoever_reads_it_to_the_end(var_dir: Path, ledger: Ledger, damage: str):
    _fill(ledger, range(5))
    DAMAGES[damage](make_snapshot(ledger).folder)
    for read in (verify, lambda snapshot: snapshot.labelled("test"), lambda snapshot: compare(snapshot, snapshot)):
        with pytest.raises(SwitchboardError, match=r"(parquet|json): .*make a new snapshot"):
            read(load_snapshot())


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_snapshot_is_whole_after_the_next_one_and_its_maker_is_told(
    var_dir: Path, sqlite_url: str, damage: str
):
    told: list[str] = []
    with open_ledger(sqlite_url) as ledger:
        _fill(ledger, range(5))
        before = make_snapshot(ledger)
        DAMAGES[damage](before.folder)
        after = make_snapshot(ledger, on_mended=told.append)
        make_snapshot(ledger, on_mended=told.append)
    assert after.folder == before.folder and after.manifest.fingerprint == before.manifest.fingerprint
    verify(load_snapshot())
    assert {path.name for path in after.folder.iterdir()} == {MANIFEST, after.manifest.rows_file}
    assert len(told) == 1 and str(before.folder) in told[0]


@pytest.mark.parametrize("step", ["write_whole", "remove_strays"])
def test_a_mending_that_is_killed_is_finished_by_the_next_one(
    var_dir: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, step: str
):
    with open_ledger(sqlite_url) as ledger:
        _fill(ledger, range(5))
        DAMAGES["rows cut"](make_snapshot(ledger).folder)
    with monkeypatch.context() as cut:
        cut.setattr(snapshotting, step, lambda *_: os._exit(9))
        killed = get_context("fork").Process(target=_make, args=(sqlite_url,))
        killed.start()
        killed.join()
    assert killed.exitcode == 9
    _make(sqlite_url)
    snapshot = load_snapshot()
    verify(snapshot)
    assert {path.name for path in snapshot.folder.iterdir()} == {MANIFEST, snapshot.manifest.rows_file}


def _make(url: str) -> None:
    with open_ledger(url) as ledger:
        make_snapshot(ledger)


def test_what_a_killed_writer_left_waiting_is_gone_after_the_next_snapshot(var_dir: Path, ledger: Ledger):
    _fill(ledger, range(5))
    leave_waiting("cut off", whole=True)
    assert all_snapshots() == []
    snapshot = make_snapshot(ledger)
    assert {path.name for path in snapshots_dir().iterdir()} == {".lock", "LATEST", snapshot.folder.name}


def test_a_row_counts_as_drawn_only_where_a_labeler_decides_its_label(var_dir: Path, ledger: Ledger):
    _fill(ledger, range(2))
    ledger.messages.add([Message("drawn, but only the import ever said anything", "imported")])
    ledger.events.append([LabelEvent(key="i", message_id="imported", label="lead", annotator="crm", origin="import")])
    ledger.selections.append(
        [Selection(message_id=key, batch="b", strategy="random", blind=True) for key in ("m0", "imported")]
    )
    assert {row.message.id for row in make_snapshot(ledger).rows() if row.drawn} == {"m0"}


def test_a_label_of_another_batch_makes_no_message_a_random_one(var_dir: Path, ledger: Ledger):
    """All three were drawn at random and blind, and asked about in a batch that shows what the model said, too."""
    ledger.messages.add([Message(f"one of three {key}", key) for key in ("blind", "shown", "both")])
    answers = {"blind": ["random"], "shown": ["doubtful"], "both": ["random", "doubtful"]}
    ledger.events.append([
        LabelEvent(key=f"{key}-{batch}", message_id=key, label="praise", annotator="ann", origin="labeler",
                   subject=batch, batch=batch)
        for key, batches in answers.items() for batch in batches
    ])  # fmt: skip
    ledger.selections.append([
        Selection(message_id=key, batch=batch, strategy=batch, blind=batch == "random")
        for key in answers for batch in ("random", "doubtful")
    ])  # fmt: skip
    assert {row.message.id for row in make_snapshot(ledger).rows() if row.drawn} == {"blind", "both"}


def test_another_taxonomys_snapshot_is_refused_with_the_way_forward(var_dir: Path, ledger: Ledger):
    _fill(ledger, range(5))
    make_snapshot(ledger)
    with pytest.raises(SwitchboardError, match="switchboard data migrate"):
        load_snapshot(taxonomy=load_taxonomy().model_copy(update={"version": "99"}))


def test_seed_rows_are_told_from_customer_rows_and_follow_the_corpus(var_dir: Path, tmp_path: Path, ledger: Ledger):
    row = {"id": "s-1", "text": "a seed", "label": "praise", "second": ["lead"], "industry": "", "channel": "", "voice": "",
           "rule": "", "writer": "w"}  # fmt: skip
    _fill(ledger, range(3))
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    appended = []
    for rows in (
        [row, row | {"id": "s-2"}],
        [row, row | {"id": "s-2"}],
        [row | {"label": "lead", "second": []}],
        [row],
    ):
        (corpus / "a.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
        appended.append(add_seed(ledger, corpus))
    assert appended == [2, 0, 2, 1]
    kinds = {one.message.id: (one.kind, one.label) for one in make_snapshot(ledger).rows() if one.kind == "seed"}
    assert kinds == {"s-1": ("seed", "praise")}
