"""Forgetting reaches every place a text lies in, says what it cannot reach, and lets nothing come back."""

import json
import os
import sqlite3
from multiprocessing import get_context
from pathlib import Path

import pytest

from configs.errors import SwitchboardError
from data.erasure import Erasure, Store
from data.forgetting import forget_author, forget_message
from data.ledger import Decision, LabelEvent, Ledger, open_ledger
from data.local_stores import local_stores
from data.messages import Message
from data.snapshot import load_snapshot, verify
from data.snapshotting import make_snapshot
from data.splits import place_new
from tests.snapshots import DAMAGES, leave_waiting

SECRET = "my grandmother's maiden name is Überraschung & she lives in Ambridge"
OTHER = "the evening train to Norwich was cancelled twice this week"


@pytest.fixture
def filled(ledger: Ledger, var_dir: Path) -> Ledger:
    ledger.messages.add([Message(SECRET, "secret-1", author="ann"), Message("thanks", "thanks-1", author="ann"),
                         Message(OTHER, "other-1", author="bob", parent_id="secret-1", parent_text=SECRET)])  # fmt: skip
    ledger.events.append(
        LabelEvent(
            key=f"{key}", message_id=key, label="praise", annotator="eve", origin="labeler", note=f"says {SECRET}"
        )
        for key in ("secret-1", "thanks-1", "other-1")
    )
    make_snapshot(ledger)
    return ledger


def _spill(var_dir: Path, name: str = "spill/decisions.spill.jsonl") -> Path:
    path = var_dir / name
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [{"kind": "decision", "decision": {"id": f"d-{key}", "message_id": key}, "message": {"id": key, "text": text, "author": author}} for key, text, author in
             (("other-1", OTHER, "bob"), ("secret-1", SECRET, "ann"), ("new-1", "spilled only, never written", "ann"))]  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_an_authors_texts_are_gone_from_the_ledger_and_all_else_stays(filled: Ledger):
    report = forget_author(filled, "ann")
    assert report.messages == 2
    left = [stored.message for stored in filled.messages.all()]
    assert [(message.id, message.parent_text) for message in left] == [("other-1", "")]
    assert [stored.event.label for stored in filled.events.all()] == ["praise"] * 3
    assert filled.messages.add([Message("something new", "new-1", author="ann")]).forgotten == 1
    assert filled.messages.add([Message(SECRET, "secret-1", author="somebody else")]).forgotten == 1


def test_a_message_is_forgotten_without_its_author(filled: Ledger):
    assert forget_message(filled, "secret-1").messages == 1
    assert filled.messages.known(["secret-1", "thanks-1"]) == {"thanks-1"}
    assert filled.messages.add([Message("more", "new-1", author="ann")]).new == 1


def test_snapshots_lose_the_rows_and_still_verify(filled: Ledger):
    assert forget_author(filled, "ann").stores["snapshots"] == 2
    snapshot = load_snapshot()
    verify(snapshot)
    assert [(row.message.id, row.message.parent_text) for row in snapshot.rows()] == [("other-1", "")]
    assert (snapshot.manifest.rows, snapshot.manifest.forgotten) == (1, 2)


@pytest.mark.parametrize("step", ["data.snapshotting.write_whole", "data.local_stores.remove_strays"])
def test_a_snapshot_whose_rewriting_is_killed_stays_whole_and_the_next_time_finishes_it(
    filled: Ledger, monkeypatch: pytest.MonkeyPatch, step: str
):
    from_snapshots, erasure = local_stores()[0].erase, Erasure((), frozenset({"secret-1", "thanks-1"}), "ann")
    with monkeypatch.context() as cut:
        cut.setattr(step, lambda *_: os._exit(9))
        killed = get_context("fork").Process(target=from_snapshots, args=(erasure,))
        killed.start()
        killed.join()
    assert killed.exitcode == 9
    verify(load_snapshot())
    assert forget_author(filled, "ann").failed == []
    snapshot = load_snapshot()
    verify(snapshot)
    assert ([row.message.id for row in snapshot.rows()], snapshot.manifest.forgotten) == (["other-1"], 2)
    assert list(snapshot.folder.glob("*.parquet")) == [snapshot.path]


def test_spilled_records_lose_words_and_author_where_they_stand(filled: Ledger, var_dir: Path):
    path = _spill(var_dir)
    size = path.stat().st_size
    assert forget_author(filled, "ann").stores["spill files"] == 2
    assert path.stat().st_size == size
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["decision"]["id"] for line in lines] == ["d-other-1", "d-secret-1", "d-new-1"]
    assert [line["message"]["text"] for line in lines] == [OTHER, "", ""]
    assert [line["message"]["author"] for line in lines] == ["bob", "", ""]


def test_lines_of_any_shape_are_understood(filled: Ledger, var_dir: Path):
    filled.messages.add([Message("numbered", "5", author="ann")])
    lines = [{"id": ["a list"], "parent_id": {}, "parent_text": "x"}, {"id": 5}, {"author": {"id": "ann", "reach": 3}}]
    path = var_dir / "queue.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert forget_author(filled, "ann").failed == []
    assert [json.loads(line) for line in path.read_text().splitlines() if line.strip()] == lines[:1]


@pytest.mark.parametrize("damage", ["rows cut", "manifest missing"])
def test_a_damaged_snapshot_is_named_and_the_texts_leave_all_else_all_the_same(filled: Ledger, damage: str):
    damaged = load_snapshot().folder
    filled.messages.add([Message("one more", "more-1")])
    filled.events.append([LabelEvent(key="m", message_id="more-1", label="lead", annotator="e", origin="labeler")])
    make_snapshot(filled)
    DAMAGES[damage](damaged)
    report = forget_author(filled, "ann")
    assert len(report.failed) == 1 and f"{damaged}: damaged" in report.failed[0]
    assert {row.message.id for row in load_snapshot().rows()} == {"other-1", "more-1"}
    assert filled.messages.get(["secret-1"])["secret-1"].message.text == ""


@pytest.mark.parametrize("whole", [False, True])
def test_what_a_killed_writer_of_a_snapshot_left_is_gone(filled: Ledger, whole: bool):
    waiting = leave_waiting(SECRET, whole)
    assert forget_author(filled, "ann").failed == []
    assert not waiting.exists()


def test_forgetting_reaches_a_changed_snapshot_and_does_not_make_it_pass_for_whole(filled: Ledger):
    DAMAGES["a label changed"](load_snapshot().folder)
    report = forget_author(filled, "ann")
    assert (report.stores["snapshots"], report.failed) == (2, [])
    assert [row.message.id for row in load_snapshot().rows_as_found()] == ["other-1"]
    with pytest.raises(SwitchboardError, match="does not match its manifest"):
        verify(load_snapshot())


def test_a_snapshot_made_while_a_person_is_being_forgotten_has_nothing_of_theirs(filled: Ledger):
    found = []

    def meanwhile(_: Erasure) -> tuple[int, list[str]]:
        found.extend((row.message.id, row.message.parent_text) for row in make_snapshot(filled).rows())
        return 0, []

    forget_author(filled, "ann", [Store("meanwhile", meanwhile)])
    assert found == [("other-1", "")]


def test_reports_that_quote_it_go_and_others_stay(filled: Ledger, var_dir: Path):
    reports = var_dir / "reports"
    reports.mkdir()
    (reports / "quotes.html").write_text(f"<td>{SECRET.replace('&', '&amp;').replace(chr(39), '&#x27;')}</td>")
    (reports / "quotes.json").write_text(json.dumps({"worst": [SECRET]}))
    (reports / "thanks.html").write_text("<td>thanks for reading</td>")
    assert forget_author(filled, "ann").stores["reports"] == 2
    assert [path.name for path in reports.iterdir()] == ["thanks.html"]


def test_what_must_not_be_edited_is_named(filled: Ledger, var_dir: Path):
    sealed = _spill(var_dir, "published/v1/golden.jsonl")
    before = sealed.read_bytes()
    report = forget_author(filled, "ann")
    assert sealed.read_bytes() == before
    assert any(str(sealed) in line and "by hand" in line for line in report.kept)


def test_the_ledger_at_its_place_under_var_is_not_named_for_removal(var_dir: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SWITCHBOARD_DATABASE_URL", raising=False)
    with open_ledger() as ledger:
        ledger.messages.add([Message(SECRET, "secret-1", author="ann")])
        ledger.events.append(
            [LabelEvent(key="e", message_id="secret-1", label="praise", annotator="eve", origin="labeler")]
        )
        copy = var_dir / "ledger.db.bak"
        copy.write_text(SECRET)
        report = forget_author(ledger, "ann")
    assert (var_dir / "ledger.db").exists()
    assert [line for line in report.kept if "by hand" in line] == [
        f"{copy}: still holds a trace of it; remove it by hand"
    ]


def test_what_another_store_clears_is_not_named_for_removal(filled: Ledger, var_dir: Path):
    cache = var_dir / "known.db"
    cache.write_text("secret-1")
    report = forget_author(filled, "ann", [Store("Label Studio", lambda _: (cache.write_text(""), []))])
    assert not [line for line in report.kept if "by hand" in line]


def test_the_copies_of_datasets_go_as_a_whole(filled: Ledger, var_dir: Path):
    (var_dir / "datasets" / "json").mkdir(parents=True)
    assert forget_author(filled, "ann").stores["datasets cache"] == 1
    assert not (var_dir / "datasets").exists()


def test_an_answer_that_quotes_it_stays_without_the_quote(filled: Ledger, var_dir: Path):
    path = var_dir / "spill" / "decisions.spill.jsonl"
    path.parent.mkdir()
    path.write_text(
        json.dumps({"message": {"id": "answer", "text": "I see", "parent_id": "secret-1", "parent_text": SECRET}})
        + "\n"
    )
    forget_message(filled, "secret-1")
    assert json.loads(path.read_text())["message"] == {
        "id": "answer",
        "text": "I see",
        "parent_id": "secret-1",
        "parent_text": "",
    }


def test_other_stores_are_asked_and_a_failing_one_is_named_and_tried_again(filled: Ledger):
    asked: list[Erasure] = []

    def fail(erasure: Erasure):
        asked.append(erasure)
        if len(asked) == 1:
            raise SwitchboardError("the server is gone")
        return 2, ["the server keeps its own backups"]

    first = forget_author(filled, "ann", [Store("Label Studio", fail)])
    assert first.failed == ["Label Studio: the server is gone; run the same command again"]
    assert {stored.message.text for stored in filled.messages.all(author="ann")} == {""}
    assert make_snapshot(filled).manifest.rows == 1
    again = forget_author(filled, "ann", [Store("Label Studio", fail)])
    assert asked[0].ids == asked[1].ids == {"secret-1", "thanks-1"}
    assert asked[0].answers == asked[1].answers == {"other-1"}
    assert (again.stores["Label Studio"], again.failed) == (2, [])
    assert "the server keeps its own backups" in again.kept
    assert not list(filled.messages.all(author="ann"))


def test_no_byte_of_the_text_is_left_in_the_sqlite_file(sqlite_url: str, var_dir: Path):
    with open_ledger(sqlite_url) as ledger:
        ledger.messages.add([Message(SECRET, "secret-1", author="ann")])
        forget_author(ledger, "ann")
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    for part in path.parent.glob("ledger.db*"):
        assert b"grandmother" not in part.read_bytes()
    assert sqlite3.connect(path).execute("SELECT count(*) FROM tombstones").fetchone() == (2,)


def test_a_group_that_loses_its_first_message_is_still_found(filled: Ledger):
    copies = [Message(f"{OTHER} {end}", f"copy-{number}") for number, end in enumerate(["", "!", "?"])]
    first, second, third = copies
    for copy in (first, second):
        filled.messages.add([copy])
        filled.events.append(
            [LabelEvent(key=copy.id, message_id=copy.id, label="abuse", annotator="a", origin="import")]
        )
        place_new(filled)
    forget_message(filled, "other-1")
    forget_message(filled, first.id)
    filled.messages.add([third])
    filled.events.append([LabelEvent(key=third.id, message_id=third.id, label="abuse", annotator="a", origin="import")])
    place_new(filled)
    stored = filled.messages.get([second.id, third.id])
    assert stored[third.id].near_group == stored[second.id].near_group
    assert stored[third.id].side == stored[second.id].side


def test_an_unknown_message_is_refused_but_one_only_decided_on_is_not(filled: Ledger):
    with pytest.raises(SwitchboardError, match="no message has the id 'nobody'"):
        forget_message(filled, "nobody")
    filled.decisions.append([Decision(id="d", message_id="decided", at=next(iter(filled.events.all())).event.at, label="lead",
                                      confidence=1, scores={}, outcome="auto", model_version="1", taxonomy_version="1")])  # fmt: skip
    assert forget_message(filled, "decided").messages == 0
