"""Imports that come again: the same adds nothing, what is corrected or goes back is said anew, and no saying is lost."""

import hashlib
from pathlib import Path

import pytest

from configs.dataset import load_dataset_config
from configs.taxonomy import load_taxonomy
from data.ledger import LabelEvent, Ledger
from data.messages import Message
from data.resolution import resolve
from tests.imports import ROWS, import_file, labels_of, write


def test_the_same_file_twice_adds_nothing(tmp_path: Path, ledger: Ledger):
    conflicting = [*ROWS, {"text": "same words", "label": "lead"}, {"text": "same words", "label": "spam"}]
    path = write(tmp_path / "crm.jsonl", conflicting)
    import_file(ledger, path)
    before = labels_of(ledger)
    report = import_file(ledger, path)
    assert (report.new_messages, report.new_labels, report.known_messages) == (0, 0, 5)
    assert labels_of(ledger) == before


def test_the_same_file_under_a_corrected_mapping_corrects_its_labels(tmp_path: Path, ledger: Ledger):
    path = write(tmp_path / "crm.jsonl", [{"id": "1", "text": "Love it", "label": "Lob"}])
    for label, new in (("abuse", 1), ("praise", 1), ("praise", 0)):
        assert import_file(ledger, path, labels=(f"Lob={label}",)).new_labels == new
    assert labels_of(ledger) == [("1", "abuse"), ("1", "praise")]


def test_a_file_with_a_column_for_each_annotator_gives_each_their_vote(tmp_path: Path, ledger: Ledger):
    rows = [{"id": "1", "text": "Love it, you thieves", "a": "praise", "b": "abuse", "c": "praise"}]
    path = write(tmp_path / "crm.jsonl", rows)
    for _ in range(2):
        for name in "abc":
            import_file(ledger, path, (f"label={name}",), annotator=name)
    assert [(stored.event.annotator, stored.event.label) for stored in ledger.events.all()] == [
        ("a", "praise"), ("b", "abuse"), ("c", "praise")]  # fmt: skip
    resolved = resolve(ledger.events.of(["1"])["1"], load_dataset_config().policy, ledger.taxonomies.translations())
    assert resolved is not None and (resolved.label, resolved.disputed) == ("praise", False)


@pytest.mark.parametrize(
    ("first", "then"),
    [({"columns": ["text=subject"]}, {"columns": ["text=body"]}), ({"columns": ["text=body", "id=nr"]},
     {"columns": ["text=body", "id=nr"], "id_prefix": "crm-"})],
)  # fmt: skip
def test_a_mapping_that_makes_other_messages_of_the_rows_labels_those_too(
    tmp_path: Path, ledger: Ledger, first: dict, then: dict
):
    rows = [
        {"nr": f"nr-{label}", "subject": f"Re: {label}", "body": f"about {label}", "label": label}
        for label in ("lead", "spam")
    ]
    path = write(tmp_path / "crm.jsonl", rows)
    for options, new in ((first, 2), (then, 2), (then, 0), (first, 0)):
        report = import_file(ledger, path, **options)
        assert (report.new_messages, report.new_labels) == (new, new)


def test_going_back_to_an_earlier_mapping_or_file_says_again_what_it_said(tmp_path: Path, ledger: Ledger):
    path = write(tmp_path / "crm.jsonl", [{"id": "1", "text": "Love it", "label": "Lob"}])
    said = ["praise", "abuse", "praise", "abuse", "praise"]
    for label in said:
        assert [import_file(ledger, path, labels=(f"Lob={label}",)).new_labels for _ in range(2)] == [1, 0]
    assert [label for _, label in labels_of(ledger)] == said
    for label in ("lead", "spam", "lead"):
        path = write(tmp_path / "crm.jsonl", [{"id": "1", "text": "Love it", "label": label}])
        assert [import_file(ledger, path).new_labels for _ in range(2)] == [1, 0]
    assert labels_of(ledger)[-1] == ("1", "lead")


def test_a_contradiction_within_a_file_stays_as_it_was_said_however_far_apart(tmp_path: Path, ledger: Ledger):
    """Rows 1 and 2 stand in one batch, row 2,500 in another; another file says something between two imports."""
    other = [{"id": f"m{number}", "text": f"words {number}", "label": "none"} for number in range(2500)]
    rows = [{"id": "1", "text": "Love it", "label": label} for label in ("lead", "spam", "praise")]
    path = write(tmp_path / "crm.jsonl", [*rows[:2], *other, rows[2]])
    between = write(tmp_path / "between.jsonl", [{"id": "1", "text": "Love it", "label": "abuse"}])
    assert [import_file(ledger, path).new_labels for _ in range(3)] == [2503, 0, 0]
    assert [import_file(ledger, between, annotator="crm").new_labels for _ in range(2)] == [1, 0]
    assert [import_file(ledger, path).new_labels for _ in range(3)] == [3, 0, 0]
    assert [stored.event.label for stored in ledger.events.of(["1"])["1"]] == [
        "lead", "spam", "praise", "abuse", "lead", "spam", "praise"]  # fmt: skip


def test_a_file_imported_under_the_keys_of_before_adds_nothing_to_what_it_said(tmp_path: Path, ledger: Ledger):
    conflicting = [
        *ROWS,
        {"id": "9", "text": "same words", "label": "lead"},
        {"id": "9", "text": "same words", "label": "spam"},
    ]
    path = write(tmp_path / "crm.jsonl", conflicting)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:24]
    for number, row in enumerate(conflicting, 1):
        second = tuple(row.get("second", ()))
        ledger.messages.add([Message(row["text"], row["id"], author=row.get("author", ""))])
        said = hashlib.sha256(repr((row["label"], second, load_taxonomy().version)).encode()).hexdigest()[:12]
        ledger.events.append([LabelEvent(key=f"import:{digest}:{number}:{said}", message_id=row["id"], annotator="crm",
                                         origin="import", label=row["label"], second=second)])  # fmt: skip
    assert import_file(ledger, path).new_labels == 0


def test_a_longer_file_adds_what_is_new_or_changed(tmp_path: Path, ledger: Ledger):
    import_file(ledger, write(tmp_path / "crm.jsonl", ROWS))
    changed = [{**ROWS[0], "label": "lead"}, *ROWS[1:], {"id": "4", "text": "new", "label": "spam"}]
    assert import_file(ledger, write(tmp_path / "crm.jsonl", changed)).new_labels == 2
    assert labels_of(ledger)[3:] == [("1", "lead"), ("4", "spam")]
