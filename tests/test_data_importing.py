"""Imports: what a file says reaches the ledger, a bad row refuses the file unless asked otherwise, `none` is kept."""

from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from configs.errors import SwitchboardError
from data.forgetting import forget_author
from data.importing import Import
from data.ledger import Ledger
from data.mapping import load_mapping
from data.sources import open_source
from tests.imports import ROWS, import_file, labels_of, write


def test_what_a_file_says_is_in_the_ledger(tmp_path: Path, ledger: Ledger):
    report = import_file(ledger, write(tmp_path / "crm.jsonl", ROWS))
    assert (report.rows, report.new_messages, report.new_labels, report.bad) == (3, 3, 3, 0)
    assert labels_of(ledger) == [("1", "praise"), ("2", "request"), ("3", "none")]
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


def test_an_author_given_as_an_object_is_known_by_the_id(tmp_path: Path, ledger: Ledger):
    rows = [{"id": "1", "text": "Love it", "label": "praise", "author": {"id": "ann", "reach": 7}},
            {"id": "2", "text": "Love it too", "label": "praise", "author": {"reach": 7}}]  # fmt: skip
    import_file(ledger, write(tmp_path / "crm.jsonl", rows))
    assert [stored.message.author for stored in ledger.messages.all()] == ["ann", ""]


def test_a_prefix_leaves_answers_with_their_parents_and_threads_so_that_forgetting_reaches_the_quotes(
    tmp_path: Path, ledger: Ledger, var_dir: Path
):
    rows = [ROWS[0], {**ROWS[1], "thread_id": 7}, {**ROWS[2], "thread_id": "", "parent_id": None}]
    import_file(ledger, write(tmp_path / "crm.jsonl", rows), id_prefix="crm-")
    known = [(one.message.id, one.message.thread_id, one.message.parent_id) for one in ledger.messages.all()]
    assert known == [("crm-1", "", ""), ("crm-2", "crm-7", "crm-1"), ("crm-3", "", "")]
    forget_author(ledger, "ann")
    assert ledger.messages.get(["crm-2"])["crm-2"].message.parent_text == ""


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"second": 5}, "'second' must be labels, as a list or with commas between, found int"),
        ({"id": "\ud800"}, "half a surrogate pair"),
        ({"label": ""}, "no 'label'"),
    ],
)
def test_a_row_that_cannot_be_taken_is_one_clear_line(tmp_path: Path, ledger: Ledger, fields: dict, said: str):
    path = write(tmp_path / "crm.jsonl", [{"text": "Love it", "label": "praise"} | fields])
    with pytest.raises(SwitchboardError, match="line 1: .*" + said):
        import_file(ledger, path)


def test_second_labels_in_one_cell_may_have_spaces_between(tmp_path: Path, ledger: Ledger):
    import_file(
        ledger, write(tmp_path / "crm.jsonl", [{"text": "Love it", "label": "praise", "second": "lead, abuse"}])
    )
    assert [stored.event.second for stored in ledger.events.all()] == [("lead", "abuse")]


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
    path = write(tmp_path / "crm.jsonl", [*ROWS, bad])
    with pytest.raises(SwitchboardError, match=r"crm\.jsonl, line 4: .*nothing was imported") as caught:
        import_file(ledger, path)
    assert said in str(caught.value)
    assert not list(ledger.messages.all())
    report = import_file(ledger, path, keep_good=True)
    assert (report.new_labels, report.bad) == (3, 1)
    assert said in report.errors[0]


def test_a_dry_run_says_what_would_happen_and_writes_nothing(tmp_path: Path, ledger: Ledger):
    mapping = load_mapping(None, (), ())
    import_file(ledger, write(tmp_path / "a.jsonl", ROWS[:1]))
    path = write(tmp_path / "b.jsonl", [*ROWS, {"text": "no id", "label": "spam"}, {"text": "no id", "label": "spam"}])
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
    assert labels_of(ledger) == [("crm-7", "praise"), ("crm-9", "none")]
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
    path = write(tmp_path / "a.jsonl", [{"text": "label me"}, {"text": "known", "label": "spam"}])
    report = import_file(ledger, path, unlabelled=True)
    assert (report.new_messages, report.unlabelled, report.new_labels) == (2, 1, 1)


def test_parquet_is_imported(tmp_path: Path, ledger: Ledger):
    pq.write_table(
        pa.Table.from_pylist([{"text": f"t{number}", "label": "spam"} for number in range(2500)]),
        tmp_path / "a.parquet",
    )
    assert import_file(ledger, tmp_path / "a.parquet").new_labels == 2500


def test_a_local_datasets_folder_is_imported_with_its_class_names(tmp_path: Path, sqlite_url: str, var_dir: Path):
    from data.ledger import open_ledger

    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["spam", "praise"])}
    )
    part = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [1, 0]}, features=features)
    datasets.DatasetDict({"train": part, "test": part.select([0])}).save_to_disk(str(tmp_path / "saved"))
    with open_ledger(sqlite_url) as ledger:
        assert import_file(ledger, tmp_path / "saved", split="train").new_labels == 2
        assert sorted(label for _, label in labels_of(ledger)) == ["praise", "spam"]
        with pytest.raises(SwitchboardError, match=r"no split 'dev'; it has train, test"):
            import_file(ledger, tmp_path / "saved", split="dev")


def test_a_folder_of_files_is_read_by_datasets_under_var(tmp_path: Path, sqlite_url: str, var_dir: Path):
    from data.ledger import open_ledger

    (tmp_path / "files").mkdir()
    write(tmp_path / "files" / "train.jsonl", [{"text": "a", "label": "spam"}])
    with open_ledger(sqlite_url) as ledger:
        assert import_file(ledger, tmp_path / "files").new_labels == 1
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
