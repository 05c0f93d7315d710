"""Imports: the same file twice adds nothing, a bad row refuses the file unless asked otherwise, `none` is kept."""

import hashlib
import json
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from configs.dataset import load_dataset_config
from configs.errors import SwitchboardError
from configs.taxonomy import load_taxonomy
from data.forgetting import forget_author
from data.import_report import ImportReport
from data.importing import Import
from data.ledger import LabelEvent, Ledger
from data.mapping import load_mapping
from data.messages import Message
from data.resolution import resolve
from data.sources import open_source

ROWS = [{"id": "1", "text": "Love it", "label": "praise", "author": "ann", "time": "2026-01-01T10:00:00Z", "channel": "x"},
        {"id": "2", "text": "Where is my parcel?", "label": "request", "second": ["abuse"], "thread_id": "t", "parent_id": "1",
         "parent_text": "Love it", "customer_id": "c"},
        {"id": "3", "text": "ok done", "label": "none"}]  # fmt: skip


def _write(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _import(ledger: Ledger, target: Path | str, columns=(), labels=(), split: str = "", **options) -> ImportReport:
    flags = {name: options.pop(name) for name in ("source", "annotator", "id_prefix", "encoding") if name in options}
    mapping = load_mapping(None, columns, labels, **flags)
    return Import(open_source(str(target), mapping, split), mapping, **options).run(ledger)


def _labels(ledger: Ledger) -> list[tuple[str, str]]:
    return [(stored.event.message_id, stored.event.label) for stored in ledger.events.all()]


def test_what_a_file_says_is_in_the_ledger(tmp_path: Path, ledger: Ledger):
    report = _import(ledger, _write(tmp_path / "crm.jsonl", ROWS))
    assert (report.rows, report.new_messages, report.new_labels, report.bad) == (3, 3, 3, 0)
    assert _labels(ledger) == [("1", "praise"), ("2", "request"), ("3", "none")]
    second = ledger.messages.get(["2"])["2"].message
    assert (second.thread_id, second.parent_id, second.parent_text, second.customer_id, second.source) == (
        "t",
        "1",
        "Love it",
        "c",
        "crm",
    )
    event = next(iter(ledger.events.of(["2"])["2"])).event
    assert (event.origin, event.annotator, event.second) == ("import", "crm", ("abuse",))


def test_the_same_file_twice_adds_nothing(tmp_path: Path, ledger: Ledger):
    conflicting = [*ROWS, {"text": "same words", "label": "lead"}, {"text": "same words", "label": "spam"}]
    path = _write(tmp_path / "crm.jsonl", conflicting)
    _import(ledger, path)
    before = _labels(ledger)
    report = _import(ledger, path)
    assert (report.new_messages, report.new_labels, report.known_messages) == (0, 0, 5)
    assert _labels(ledger) == before


def test_an_author_given_as_an_object_is_known_by_the_id(tmp_path: Path, ledger: Ledger):
    rows = [{"id": "1", "text": "Love it", "label": "praise", "author": {"id": "ann", "reach": 7}},
            {"id": "2", "text": "Love it too", "label": "praise", "author": {"reach": 7}}]  # fmt: skip
    _import(ledger, _write(tmp_path / "crm.jsonl", rows))
    assert [stored.message.author for stored in ledger.messages.all()] == ["ann", ""]


def test_the_same_file_under_a_corrected_mapping_corrects_its_labels(tmp_path: Path, ledger: Ledger):
    path = _write(tmp_path / "crm.jsonl", [{"id": "1", "text": "Love it", "label": "Lob"}])
    for label, new in (("abuse", 1), ("praise", 1), ("praise", 0)):
        assert _import(ledger, path, labels=(f"Lob={label}",)).new_labels == new
    assert _labels(ledger) == [("1", "abuse"), ("1", "praise")]


def test_a_file_with_a_column_for_each_annotator_gives_each_their_vote(tmp_path: Path, ledger: Ledger):
    rows = [{"id": "1", "text": "Love it, you thieves", "a": "praise", "b": "abuse", "c": "praise"}]
    path = _write(tmp_path / "crm.jsonl", rows)
    for _ in range(2):
        for name in "abc":
            _import(ledger, path, (f"label={name}",), annotator=name)
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
    path = _write(tmp_path / "crm.jsonl", rows)
    for options, new in ((first, 2), (then, 2), (then, 0), (first, 0)):
        report = _import(ledger, path, **options)
        assert (report.new_messages, report.new_labels) == (new, new)


def test_going_back_to_an_earlier_mapping_or_file_says_again_what_it_said(tmp_path: Path, ledger: Ledger):
    path = _write(tmp_path / "crm.jsonl", [{"id": "1", "text": "Love it", "label": "Lob"}])
    said = ["praise", "abuse", "praise", "abuse", "praise"]
    for label in said:
        assert [_import(ledger, path, labels=(f"Lob={label}",)).new_labels for _ in range(2)] == [1, 0]
    assert [label for _, label in _labels(ledger)] == said
    for label in ("lead", "spam", "lead"):
        path = _write(tmp_path / "crm.jsonl", [{"id": "1", "text": "Love it", "label": label}])
        assert [_import(ledger, path).new_labels for _ in range(2)] == [1, 0]
    assert _labels(ledger)[-1] == ("1", "lead")


def test_a_prefix_leaves_answers_with_their_parents_and_threads_so_that_forgetting_reaches_the_quotes(
    tmp_path: Path, ledger: Ledger, var_dir: Path
):
    rows = [ROWS[0], {**ROWS[1], "thread_id": 7}, {**ROWS[2], "thread_id": "", "parent_id": None}]
    _import(ledger, _write(tmp_path / "crm.jsonl", rows), id_prefix="crm-")
    known = [(one.message.id, one.message.thread_id, one.message.parent_id) for one in ledger.messages.all()]
    assert known == [("crm-1", "", ""), ("crm-2", "crm-7", "crm-1"), ("crm-3", "", "")]
    forget_author(ledger, "ann")
    assert ledger.messages.get(["crm-2"])["crm-2"].message.parent_text == ""


def test_a_contradiction_within_a_file_stays_as_it_was_said_however_far_apart(tmp_path: Path, ledger: Ledger):
    """Rows 1 and 2 stand in one batch, row 2,500 in another; another file says something between two imports."""
    other = [{"id": f"m{number}", "text": f"words {number}", "label": "none"} for number in range(2500)]
    rows = [{"id": "1", "text": "Love it", "label": label} for label in ("lead", "spam", "praise")]
    path = _write(tmp_path / "crm.jsonl", [*rows[:2], *other, rows[2]])
    between = _write(tmp_path / "between.jsonl", [{"id": "1", "text": "Love it", "label": "abuse"}])
    assert [_import(ledger, path).new_labels for _ in range(3)] == [2503, 0, 0]
    assert [_import(ledger, between, annotator="crm").new_labels for _ in range(2)] == [1, 0]
    assert [_import(ledger, path).new_labels for _ in range(3)] == [3, 0, 0]
    assert [stored.event.label for stored in ledger.events.of(["1"])["1"]] == [
        "lead", "spam", "praise", "abuse", "lead", "spam", "praise"]  # fmt: skip


def test_a_file_imported_under_the_keys_of_before_adds_nothing_to_what_it_said(tmp_path: Path, ledger: Ledger):
    conflicting = [
        *ROWS,
        {"id": "9", "text": "same words", "label": "lead"},
        {"id": "9", "text": "same words", "label": "spam"},
    ]
    path = _write(tmp_path / "crm.jsonl", conflicting)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:24]
    for number, row in enumerate(conflicting, 1):
        second = tuple(row.get("second", ()))
        ledger.messages.add([Message(row["text"], row["id"], author=row.get("author", ""))])
        said = hashlib.sha256(repr((row["label"], second, load_taxonomy().version)).encode()).hexdigest()[:12]
        ledger.events.append([LabelEvent(key=f"import:{digest}:{number}:{said}", message_id=row["id"], annotator="crm",
                                         origin="import", label=row["label"], second=second)])  # fmt: skip
    assert _import(ledger, path).new_labels == 0


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"second": 5}, "'second' must be labels, as a list or with commas between, found int"),
        ({"id": "\ud800"}, "half a surrogate pair"),
        ({"label": ""}, "no 'label'"),
    ],
)
def test_a_row_that_cannot_be_taken_is_one_clear_line(tmp_path: Path, ledger: Ledger, fields: dict, said: str):
    path = _write(tmp_path / "crm.jsonl", [{"text": "Love it", "label": "praise"} | fields])
    with pytest.raises(SwitchboardError, match="line 1: .*" + said):
        _import(ledger, path)


def test_second_labels_in_one_cell_may_have_spaces_between(tmp_path: Path, ledger: Ledger):
    _import(ledger, _write(tmp_path / "crm.jsonl", [{"text": "Love it", "label": "praise", "second": "lead, abuse"}]))
    assert [stored.event.second for stored in ledger.events.all()] == [("lead", "abuse")]


def test_a_longer_file_adds_what_is_new_or_changed(tmp_path: Path, ledger: Ledger):
    _import(ledger, _write(tmp_path / "crm.jsonl", ROWS))
    changed = [{**ROWS[0], "label": "lead"}, *ROWS[1:], {"id": "4", "text": "new", "label": "spam"}]
    assert _import(ledger, _write(tmp_path / "crm.jsonl", changed)).new_labels == 2
    assert _labels(ledger)[3:] == [("1", "lead"), ("4", "spam")]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"text": "x", "label": "Praise"}, "crm.jsonl, line 4: unknown label 'Praise'; did you mean 'praise'?"),
        ({"text": "x", "label": "Lob"}, "Map it with --label 'Lob=...'"),
        ({"text": "x"}, "--unlabelled"),
        ({"text": " ", "label": "spam"}, "'text' is empty"),
        ({"text": "x", "label": "spam", "time": "yesterday"}, "'time' is 'yesterday'"),
        ({"text": "x", "label": "spam", "time": "0001-01-01T00:00:00+14:00"}, "its year must lie between"),
        ({"id": "1", "text": "another", "label": "spam"}, "id '1' already stands for another text"),
        ({"text": "x", "label": "spam", "source": "seed"}, "'seed' names our own corpus"),
    ],
)
def test_one_bad_row_refuses_the_file_and_keep_good_takes_the_rest(
    tmp_path: Path, ledger: Ledger, bad: dict, said: str
):
    path = _write(tmp_path / "crm.jsonl", [*ROWS, bad])
    with pytest.raises(SwitchboardError, match=r"crm\.jsonl, line 4: .*nothing was imported") as caught:
        _import(ledger, path)
    assert said in str(caught.value)
    assert not list(ledger.messages.all())
    report = _import(ledger, path, keep_good=True)
    assert (report.new_labels, report.bad) == (3, 1)
    assert said in report.errors[0]


def test_a_dry_run_says_what_would_happen_and_writes_nothing(tmp_path: Path, ledger: Ledger):
    mapping = load_mapping(None, (), ())
    _import(ledger, _write(tmp_path / "a.jsonl", ROWS[:1]))
    path = _write(tmp_path / "b.jsonl", [*ROWS, {"text": "no id", "label": "spam"}, {"text": "no id", "label": "spam"}])
    report = Import(open_source(str(path), mapping), mapping).check(ledger)
    assert (report.rows, report.new_messages, report.known_messages) == (5, 3, 1)
    assert report.labels == {"praise": 1, "request": 1, "none": 1, "spam": 2}
    assert len(list(ledger.messages.all())) == 1


def test_columns_and_labels_are_mapped_by_flags_and_yaml(tmp_path: Path, ledger: Ledger):
    (tmp_path / "crm.csv").write_text("nr;body;class;who\n7;Love it;Lob;eve\n8;skip me;Rest;eve\n9;hm;keins;eve\n")
    (tmp_path / "map.yaml").write_text(
        "columns: {text: body, label: class}\nlabels: {Lob: praise, Rest: null}\nsource: desk\n"
    )
    mapping = load_mapping(tmp_path / "map.yaml", ["id=nr", "annotator=who"], ["keins=none"], id_prefix="crm-")
    report = Import(open_source(str(tmp_path / "crm.csv"), mapping), mapping).run(ledger)
    assert (report.rows, report.left_out, report.new_labels) == (3, 1, 2)
    assert _labels(ledger) == [("crm-7", "praise"), ("crm-9", "none")]
    assert {stored.event.annotator for stored in ledger.events.all()} == {"eve"}
    assert {stored.message.source for stored in ledger.messages.all()} == {"desk"}


@pytest.mark.parametrize(
    ("columns", "labels", "said"),
    [
        (["body=text"], [], "unknown column 'body'"),
        (["text"], [], "--column text=body"),
        ([], ["=x"], "--label complaint=abuse"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(columns: list[str], labels: list[str], said: str):
    with pytest.raises(SwitchboardError, match=said):
        load_mapping(None, columns, labels)


def test_rows_without_label_are_kept_for_later_when_asked(tmp_path: Path, ledger: Ledger):
    path = _write(tmp_path / "a.jsonl", [{"text": "label me"}, {"text": "known", "label": "spam"}])
    report = _import(ledger, path, unlabelled=True)
    assert (report.new_messages, report.unlabelled, report.new_labels) == (2, 1, 1)


def test_parquet_is_imported(tmp_path: Path, ledger: Ledger):
    pq.write_table(
        pa.Table.from_pylist([{"text": f"t{number}", "label": "spam"} for number in range(2500)]),
        tmp_path / "a.parquet",
    )
    assert _import(ledger, tmp_path / "a.parquet").new_labels == 2500


def test_a_local_datasets_folder_is_imported_with_its_class_names(tmp_path: Path, sqlite_url: str, var_dir: Path):
    from data.ledger import open_ledger

    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["spam", "praise"])}
    )
    part = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [1, 0]}, features=features)
    datasets.DatasetDict({"train": part, "test": part.select([0])}).save_to_disk(str(tmp_path / "saved"))
    with open_ledger(sqlite_url) as ledger:
        assert _import(ledger, tmp_path / "saved", split="train").new_labels == 2
        assert sorted(label for _, label in _labels(ledger)) == ["praise", "spam"]
        with pytest.raises(SwitchboardError, match=r"no split 'dev'; it has train, test"):
            _import(ledger, tmp_path / "saved", split="dev")


def test_a_folder_of_files_is_read_by_datasets_under_var(tmp_path: Path, sqlite_url: str, var_dir: Path):
    from data.ledger import open_ledger

    (tmp_path / "files").mkdir()
    _write(tmp_path / "files" / "train.jsonl", [{"text": "a", "label": "spam"}])
    with open_ledger(sqlite_url) as ledger:
        assert _import(ledger, tmp_path / "files").new_labels == 1
    assert (var_dir / "datasets").is_dir()


def test_something_that_is_nowhere_is_one_clear_line(monkeypatch: pytest.MonkeyPatch, var_dir: Path):
    monkeypatch.setattr(
        "datasets.load_dataset", lambda *_, **__: (_ for _ in ()).throw(ConnectionError("no route\nto host"))
    )
    with pytest.raises(
        SwitchboardError, match=r"^someone/nothing: no file or Hugging Face data set that can be read: no route$"
    ):
        open_source("someone/nothing", load_mapping(None, (), ()))
    with pytest.raises(SwitchboardError, match=r"missing\.jsonl: no such file"):
        open_source("missing.jsonl", load_mapping(None, (), ()))
