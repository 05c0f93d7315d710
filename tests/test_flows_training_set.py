"""A company's own rows beside the seed: sides that stay apart, bounded weights, and who calibrates."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from configs.errors import SwitchboardError
from configs.recipe import Recipe
from data.corpus import SEED_SOURCE
from data.ledger import LabelEvent, Ledger, open_ledger
from data.messages import LabelledMessage, Message
from data.snapshot import Snapshot
from data.snapshotting import make_snapshot
from flows.learning import learning_tags
from flows.test_rows import JudgedOn, current_test_rows
from flows.test_rows import test_rows as judged_on
from flows.training_set import customer_training_set, seed_training_set
from tests.snapshots import DAMAGES
from tests.tiny_base import tiny_rows
from training.parts import HOLDOUT_PERCENT, TEST_PERCENT, bucket


def _recipe(**changes: object) -> Recipe:
    return Recipe.model_validate({"name": "t", "epochs": 1, "learning_rate": 1e-4, **changes})


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    facts = {"second": [], "industry": "", "channel": "", "voice": "", "rule": "", "writer": ""}
    lines = [
        json.dumps({"id": row.message.id, "text": row.message.text, "label": row.label, **facts})
        for row in tiny_rows(100)
    ]
    (folder / "all.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


def _file(tmp_path: Path, rows: list[LabelledMessage]) -> str:
    return _json(tmp_path, [{"id": row.message.id, "text": row.message.text, "label": row.label} for row in rows])


def _json(tmp_path: Path, rows: list[dict[str, str]]) -> str:
    path = tmp_path / "own.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def _ids(rows: Sequence[LabelledMessage]) -> set[str]:
    return {row.message.id for row in rows}


def test_the_seeds_test_side_is_never_trained_on(tmp_path: Path, corpus: Path):
    seed = seed_training_set(_recipe(), corpus)
    both = customer_training_set(_recipe(), _file(tmp_path, tiny_rows(10, 3, "own")), corpus=corpus)
    assert _ids(seed.test) <= _ids(both.test)
    assert not _ids(both.test) & (_ids(both.fit) | _ids(both.holdout)) and not _ids(both.fit) & _ids(both.holdout)
    assert both.fingerprint != seed.fingerprint


def test_few_customer_rows_count_more_up_to_the_bound(tmp_path: Path, corpus: Path):
    data = _file(tmp_path, tiny_rows(10, 3, "own"))
    bounded = customer_training_set(_recipe(customer_weight=3), data, corpus=corpus)
    weight = {row.message.id.split("-")[0]: one for row, one in zip(bounded.fit, bounded.weights, strict=True)}
    assert weight == {"t": 1.0, "own": 3.0} and "counting 3.0 times" in bounded.source
    many = customer_training_set(_recipe(customer_weight=3), _file(tmp_path, tiny_rows(300, 3, "own")), corpus=corpus)
    assert set(many.weights) == {1.0}


def test_so_many_of_a_companys_rows_are_a_point_of_their_own_curve(tmp_path: Path, corpus: Path):
    data, points = _file(tmp_path, tiny_rows(40, 3, "own")), []
    for most in (50, 100, None):
        points.append(customer_training_set(_recipe(), data, corpus=corpus, own_rows=most))
    few, more, every = ({key for key in _ids(one.fit) if key.startswith("own")} for one in points)
    assert len(few) == 50 and len(more) == 100 and few < more < every
    assert {len(one.fit) - one.own for one in points} == {len(points[0].fit) - 50}, "the seed beside them is the same"
    tags = [learning_tags(_recipe(), one) for one in points]
    assert len({one["curve"] for one in tags}) == 1 and [one["fitted"] for one in tags] == [
        "50",
        "100",
        str(len(every)),
    ]
    alone = customer_training_set(_recipe(), data, False, corpus, own_rows=50)
    assert learning_tags(_recipe(), alone)["curve"] not in {one["curve"] for one in tags}


def test_without_the_seed_only_customer_rows_are_learnt(tmp_path: Path, corpus: Path):
    alone = customer_training_set(_recipe(), _file(tmp_path, tiny_rows(10, 3, "own")), with_seed=False, corpus=corpus)
    assert all(key.startswith("own") for key in _ids([*alone.fit, *alone.holdout])) and set(alone.weights) == {1.0}
    assert any(key.startswith("t-") for key in _ids(alone.test)), "the seed still tests"


def test_customer_rows_stop_alone_once_they_are_enough_and_the_seed_calibrates_beside_them(
    tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("flows.training_set.BESIDE", 5)
    data = _file(tmp_path, tiny_rows(120, 3, "own"))
    few = customer_training_set(_recipe(customer_holdout=1000), data, corpus=corpus)
    enough = customer_training_set(_recipe(customer_holdout=50), data, corpus=corpus)
    assert any(key.startswith("t-") for key in _ids(few.holdout)) and not few.beside
    assert all(key.startswith("own") for key in _ids(enough.holdout))
    assert len(enough.beside) == 5 and _ids(enough.beside) <= _ids(few.holdout)


def test_the_same_text_never_stands_on_two_sides(tmp_path: Path, corpus: Path):
    rows = tiny_rows(60, 3, "own")
    twins = [
        LabelledMessage(Message(row.message.text.upper() + "!!", f"twin-{row.message.id}"), row.label) for row in rows
    ]
    found = customer_training_set(_recipe(), _file(tmp_path, [*rows, *twins]), corpus=corpus)
    parts = [_ids(part) for part in (found.fit, found.holdout, found.test)]
    for row in rows:
        assert any({row.message.id, f"twin-{row.message.id}"} <= part for part in parts)


@pytest.mark.parametrize("link", ["author", "thread_id"])
def test_nobody_and_no_talk_of_a_file_is_on_two_sides(link: str, tmp_path: Path, corpus: Path):
    rows = [
        {"id": row.message.id, "text": row.message.text, "label": row.label, link: f"{link}-{number % 20}"}
        for number, row in enumerate(tiny_rows(100, 3, "own"))
    ]
    found = customer_training_set(_recipe(), _json(tmp_path, rows), corpus=corpus)
    of = {row["id"]: row[link] for row in rows}
    tested, learnt = _ids(found.test) & set(of), _ids([*found.fit, *found.holdout]) & set(of)
    assert tested and learnt and not {of[key] for key in tested} & {of[key] for key in learnt}


def test_what_is_alike_in_a_file_is_on_one_side(tmp_path: Path, corpus: Path):
    rows = [row for row in tiny_rows(100, 3, "own") if len(row.message.text) > 40]
    alike = [LabelledMessage(Message(f"{row.message.text} ok", f"like-{row.message.id}"), row.label) for row in rows]
    found = customer_training_set(_recipe(), _file(tmp_path, [*rows, *alike]), corpus=corpus)
    tested, learnt = _ids(found.test), _ids([*found.fit, *found.holdout])
    for row in rows:
        both = {row.message.id, f"like-{row.message.id}"}
        assert both <= tested or both <= learnt or not both & (tested | learnt)


def _snapshot(ledger: Ledger) -> Snapshot:
    _label(ledger, tiny_rows(20, 3, "own"), "labeler")
    return make_snapshot(ledger)


def _label(ledger: Ledger, rows: list[LabelledMessage], origin: str) -> None:
    ledger.messages.add([row.message for row in rows])
    ledger.events.append([
        LabelEvent(key=row.message.id, message_id=row.message.id, label=row.label, annotator="ann", origin=origin)
        for row in rows
    ])  # fmt: skip


def test_a_snapshots_sides_are_kept(var_dir: Path, ledger: Ledger, corpus: Path):
    snapshot = _snapshot(ledger)
    sides = {row.message.id: row.side for row in snapshot.rows()}
    found = customer_training_set(_recipe(), "latest", corpus=corpus)
    assert {key for key in _ids(found.test) if key in sides} == {key for key, side in sides.items() if side == "test"}
    assert {key for key in _ids([*found.fit, *found.holdout]) if key in sides} == {
        key for key, side in sides.items() if side == "train"
    }


def test_whatever_is_learnt_is_judged_on_the_latest_snapshots_own_rows_too(
    var_dir: Path, ledger: Ledger, corpus: Path, tmp_path: Path
):
    tested = {row.message.id for row in _snapshot(ledger).rows() if row.side == "test"}
    seed = seed_training_set(_recipe(), corpus)
    file = customer_training_set(_recipe(), _file(tmp_path, tiny_rows(10, 4, "other")), corpus=corpus)
    for found in (seed, file, current_test_rows()):
        rows = found.rows if isinstance(found, JudgedOn) else found.test
        assert tested <= _ids(rows) and len(_ids(rows)) == len(rows) > len(tested) > 0
    assert not tested & _ids([*seed.fit, *seed.holdout, *file.fit, *file.holdout])


def test_seed_rows_that_followed_a_companys_row_to_another_side_are_not_learnt_from(var_dir: Path, ledger: Ledger):
    own = list(_snapshot(ledger).rows())
    tested, trained = (next(row.message for row in own if row.side == side) for side in ("test", "train"))
    texts = {
        "twin": (tested.text, ""), "bridge": (trained.text, tested.id), "beside": (trained.text, ""),
        "alone": ("a parasol that nobody of the company ever wrote about", ""),
    }  # fmt: skip
    linked = [
        LabelledMessage(Message(text, _seed_id(name, at), parent_id=parent, source=SEED_SOURCE), "praise")
        for name, (text, parent) in texts.items()
        for at in (TEST_PERCENT, TEST_PERCENT + HOLDOUT_PERCENT)
    ]
    _label(ledger, linked, "seed")
    sides = {row.message.id.split("-")[0]: row.side for row in make_snapshot(ledger).rows() if row.kind == "seed"}
    assert sides == {"twin": "test", "bridge": "quarantined", "beside": "train", "alone": "train"}
    found = customer_training_set(_recipe(customer_holdout=1000), "latest")
    for part in (found.fit, found.holdout):
        assert {key.split("-")[0] for key in _ids(part)} == {"own", "beside", "alone"}


def _seed_id(name: str, least: int) -> str:
    """Return an id that the seed's own draw fits (or holds out, by the least bucket)."""
    return next(key for number in range(10_000) if bucket(key := f"{name}-{number}") == least)


@pytest.mark.parametrize("damage", ["rows cut", "a label changed"])
def test_a_snapshot_that_is_not_its_manifests_is_neither_trained_nor_judged_on(
    var_dir: Path, sqlite_url: str, corpus: Path, damage: str
):
    with open_ledger(sqlite_url) as ledger:
        DAMAGES[damage](_snapshot(ledger).folder)
    with pytest.raises(SwitchboardError, match=r"rows\.parquet: .*make a new snapshot"):
        customer_training_set(_recipe(), "latest", corpus=corpus)
    with pytest.raises(SwitchboardError, match=r"rows\.parquet: .*make a new snapshot"):
        judged_on("latest")


def test_a_wrong_label_in_the_file_is_named_with_its_line(tmp_path: Path, corpus: Path):
    path = tmp_path / "own.jsonl"
    path.write_text('{"text": "hi", "label": "praise"}\n{"text": "hi", "label": "prase"}\n', encoding="utf-8")
    with pytest.raises(SwitchboardError, match=r"line 2: unknown label 'prase'; did you mean 'praise'"):
        customer_training_set(_recipe(), str(path), corpus=corpus)
