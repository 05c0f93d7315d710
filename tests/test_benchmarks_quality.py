"""The comparison's own rules: the same draw for a seed, nested in nothing but labels, and cells computed once."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks.quality import grid
from benchmarks.quality.grid import OURS, PEERS, SIZES, Split, drawn, jobs, kept_cell, real_data, run_cell, split_rows
from benchmarks.quality.rows import Job
from benchmarks.quality.table import random_accuracy, write_table
from configs.taxonomy import load_taxonomy
from tests.tiny_base import tiny_rows

LABELS = load_taxonomy().labels
ROWS = [{"id": row.message.id, "raw": row.message.text, "text": row.message.text, "label": row.label, "second": []}
        for row in tiny_rows(20)]  # fmt: skip
JOB = Job("tfidf_lr", "8", 1, LABELS)


def test_a_size_is_that_many_of_each_label_and_the_same_for_a_seed():
    few = drawn(ROWS, "8", 1)
    assert {label: sum(row["label"] == label for row in few) for label in LABELS} == dict.fromkeys(LABELS, 8)
    assert few == drawn(ROWS[::-1], "8", 1) != drawn(ROWS, "8", 2) and drawn(ROWS, "all", 1) == ROWS


def test_every_system_has_its_file_and_the_slow_ones_fewer_cells():
    for system in PEERS:
        assert (Path(grid.__file__).parent / f"{system}.py").exists()
    cells = [(job.system, job.size) for job in jobs((*PEERS, *OURS), SIZES, 1)]
    assert ("ours", "0") in cells and ("tfidf_lr", "0") not in cells and ("setfit", "16") not in cells
    assert [size for system, size in cells if system == "ours_large"] == ["0", "8", "64", "all"]


def test_a_cell_is_computed_once_and_again_when_its_rows_change(var_dir: Path, monkeypatch: pytest.MonkeyPatch):
    calls = []
    monkeypatch.setattr(grid, "_in_process", lambda *given: calls.append(given) or {"found": []})
    split = Split(ROWS, ROWS[:9])
    assert kept_cell(JOB, split) is None
    for _ in range(2):
        assert run_cell(JOB, split, Path("python"))["found"] == []
    assert len(calls) == 1 and kept_cell(JOB, split) == {**asdict(JOB), "labels": list(LABELS), "found": []}
    run_cell(JOB, Split(ROWS, ROWS[:10]), Path("python"))
    assert len(calls) == 2


def test_what_systems_share_and_what_the_corpus_holds_are_part_of_a_cell_s_digest(monkeypatch: pytest.MonkeyPatch):
    read, original = [], Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path.name) or original(path))
    grid._digest(Job("ours", "0", 1, LABELS), [], [])
    assert {"linear.py", "base.py", "cell.py", "opinions.parquet", "full.yaml"} <= set(read)


def test_a_skipped_cell_says_why_and_is_tried_again(var_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(grid, "_in_process", lambda *given: {"skipped": "No module named 'setfit'"})
    split = Split(ROWS, ROWS[:9])
    cell = run_cell(JOB, split, Path("python"))
    assert not list((var_dir / "benchmarks" / "quality").glob("*.json"))
    (tmp_path / "RESULTS.md").write_text("# Results\n\n## Serving\n\nkept\n", encoding="utf-8")
    for _ in range(2):
        write_table({JOB: cell}, split, "command", tmp_path / "RESULTS.md")
    text = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    assert text.count("## Quality") == text.count("## Serving") == 1 and "No module named 'setfit'" in text


def test_the_rows_drawn_at_random_are_told_apart():
    rows = [row for row in ROWS if row["label"] in LABELS][:4]
    split = Split(ROWS, rows, frozenset(row["id"] for row in rows[:2]))
    found = [rows[0]["label"], "wrong", "wrong", rows[3]["label"]]
    assert random_accuracy({"found": found}, split) == 0.5


def test_an_archive_counts_by_what_is_in_it(tmp_path: Path):
    digests = []
    for name, content in (("a", "one"), ("b", "one"), ("b", "two")):
        (tmp_path / name).write_text(content, encoding="utf-8")
        job = Job("ours_archive", "8", 1, LABELS, str(tmp_path / name))
        digests.append(grid._digest(job, [], []))
    assert digests[0] == digests[1] != digests[2]


def test_a_teacher_counts_by_what_is_in_it_and_without_one_nothing_is_taught(tmp_path: Path):
    (tmp_path / "archive").write_text("one", encoding="utf-8")
    digests = []
    for name, content in (("a", "one"), ("b", "one"), ("b", "two")):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "manifest.json").write_text(content, encoding="utf-8")
        job = Job("ours_taught", "8", 1, LABELS, str(tmp_path / "archive"), str(tmp_path / name))
        digests.append(grid._digest(job, [], []))
    assert digests[0] == digests[1] != digests[2]
    assert [job.size for job in jobs(("ours_taught",), SIZES, 1, "bundle")] == ["0", "8", "64", "all"]
    assert not list(jobs(("ours_taught",), SIZES, 1))


def test_a_real_cell_gives_labels_seconds_and_memory(var_dir: Path):
    cell = run_cell(JOB, Split(ROWS, ROWS[:9]), grid.python_for(JOB))
    assert (
        len(cell["found"]) == 9
        and set(cell["found"]) <= set(LABELS)
        and cell["peak_mb"] > 10
        and cell["fit_seconds"] > 0
    )


def test_a_fold_of_train_is_kept_back_without_looking_at_dev():
    if not (real_data() / "real_train.jsonl").exists():
        pytest.skip("the real messages are not there (SWITCHBOARD_REAL_DATA)")
    split = split_rows("fold")
    assert 150 < len(split.test) < 350 and not {row["id"] for row in split.test} & {row["id"] for row in split.train}
    assert json.dumps(split.test)
