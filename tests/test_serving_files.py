import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from configs.errors import SwitchboardError
from configs.playbook import load_playbook
from serving import files
from serving.decisions import Decider
from serving.files import atomic_output, classify_file, count_rows
from training.predictor import Predictor


@pytest.fixture(scope="module")
def decider(tiny_bundle: Path) -> Decider:
    return Decider(Predictor(tiny_bundle, threads=1), load_playbook())


def run(source: Path, decider: Decider) -> list[dict]:
    lines: list[bytes] = []
    classify_file(source, decider, lines.append)
    return [json.loads(line) for line in lines]


def write(path: Path, *lines: str) -> Path:
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass") + b"\n")
    return path


def test_each_line_gets_one_line_and_a_bad_one_never_stops_the_rest(tmp_path, decider):
    bad = [
        '{"text": 7}',
        '{"text": ""}',
        "not json",
        "[]",
        '{"id": "no"}',
        json.dumps({"text": "x" * 100_000}),
        '{"text": null}',
    ]
    good = [
        '{"text": "my router is broken", "id": "a"}',
        '{"text": "🎉🎉🎉"}',
        '{"text": "\\u0007 thanks \\ud800"}',
        '{"text": "ваш роутер не работает"}',
    ]
    found = run(write(tmp_path / "in.jsonl", good[0], *bad, *good[1:]), decider)
    assert len(found) == len(bad) + len(good)
    assert (found[0]["id"], found[0]["label"]) == ("a", "request")
    assert [row["line"] for row in found if "error" in row] == list(range(2, 2 + len(bad)))
    assert all("label" in row for row in found[-3:])


def test_a_bad_line_whose_id_no_json_can_hold_never_stops_the_rest(tmp_path, decider):
    bad = ['{"text": "", "id": "\\ud800"}', '{"text": "", "id": 1180591620717411303424}']
    found = run(write(tmp_path / "in.jsonl", *bad, '{"text": "thanks"}'), decider)
    assert [row["id"] for row in found[:2]] == ["?", "1180591620717411303424"]
    assert "label" in found[2]


def test_a_row_carries_what_the_architecture_names(tmp_path, decider):
    row = run(write(tmp_path / "in.jsonl", '{"text": "thanks"}'), decider)[0]
    assert {"id", "label", "confidence", "scores", "decision", "reason", "route"} <= set(row)
    assert sum(row["scores"].values()) == pytest.approx(1)


def test_csv_and_parquet_read_alike(tmp_path, decider):
    texts = ["my router is broken", "thanks, love it", 'quoted "scam", with comma']
    csv = write(
        tmp_path / "in.csv", "id,text", *(f'{n},"{text.replace(chr(34), chr(34) * 2)}"' for n, text in enumerate(texts))
    )
    pq.write_table(pa.table({"id": ["0", "1", "2"], "text": texts}), tmp_path / "in.parquet")
    assert run(csv, decider) == run(tmp_path / "in.parquet", decider)


def test_order_is_kept_across_chunks(tmp_path, decider, monkeypatch):
    monkeypatch.setattr(files, "CHUNK", 3)
    lines = [json.dumps({"id": f"m{n}", "text": "broken " * (1 + n % 4)}) for n in range(20)]
    assert [row["id"] for row in run(write(tmp_path / "in.jsonl", *lines), decider)] == [f"m{n}" for n in range(20)]


@pytest.mark.parametrize(("name", "text", "said"), [
    ("in.jsonl", '{"message": "hi"}', "no 'text' column; found message"),
    ("in.jsonl", "\n", "no messages in it"),
    ("in.csv", "a,b\n1,2", "no 'text' column"),
    ("in.txt", "hi", "unknown file type"),
    ("in.parquet", "hi", "not a Parquet file"),
])  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused_in_one_line(tmp_path, decider, name, text, said):
    with pytest.raises(SwitchboardError, match=said):
        run(write(tmp_path / name, text), decider)


def test_an_interrupted_run_leaves_nothing_behind(tmp_path):
    (tmp_path / "out.jsonl").write_text("before")
    with pytest.raises(KeyboardInterrupt), atomic_output(tmp_path / "out.jsonl") as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]
    assert (tmp_path / "out.jsonl").read_text() == "before"


def test_output_into_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(SwitchboardError, match="no such folder"), atomic_output(tmp_path / "no" / "out.jsonl"):
        pass


def test_rows_are_counted_for_the_bar(tmp_path):
    assert count_rows(write(tmp_path / "in.jsonl", "{}", "{}")) == 2
