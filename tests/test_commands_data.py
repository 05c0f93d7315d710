"""`switchboard data ...` as a person and as a machine use it: what it prints, what it writes, how it exits."""

import json
import sys
from pathlib import Path

import pytest

import switchboard
from configs.taxonomy import load_taxonomy
from data import seeding
from data.ledger import open_ledger
from tests.snapshots import DAMAGES

LABELS = load_taxonomy().labels
_WORDS = [
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "heath",
    "inlet",
    "jetty",
    "knoll",
    "ledge",
    "marsh",
    "north",
    "ocean",
    "prairie",
]


@pytest.fixture(autouse=True)
def small_corpus(var_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand three seed rows a label in for the corpus, and keep Label Studio out of it."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    rows = [{"id": f"s-{label}-{number}", "text": f"{label} {_text(number + 50 * at)}", "label": label, "second": [], "industry": "",
             "channel": "", "voice": "", "rule": "", "writer": ""} for at, label in enumerate(LABELS) for number in range(30)]  # fmt: skip
    (corpus / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.setattr(seeding.add_seed, "__defaults__", (corpus,))
    monkeypatch.delenv("SWITCHBOARD_DATABASE_URL", raising=False)
    monkeypatch.delenv("LABEL_STUDIO_URL", raising=False)


def _text(number: int) -> str:
    return " ".join(
        f"{_WORDS[(number * step) % 16]}{chr(97 + number % 26)}{chr(97 + number // 26)}" for step in range(3, 14)
    )


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["switchboard", "data", *map(str, words)])
        try:
            switchboard.main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run


def _file(tmp_path: Path, *rows: dict) -> Path:
    (tmp_path / "crm.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path / "crm.jsonl"


ROWS = (
    {"id": "1", "text": "Love it, thank you all", "label": "praise", "author": "ann"},
    {"id": "2", "text": "Lovely day", "label": "Lob"},
)


def test_import_check_snapshot_diff_and_forget_make_a_round(run, tmp_path: Path, var_dir: Path):
    path = _file(tmp_path, *ROWS)
    code, out, _ = run("import", path, "--label", "Lob=praise", "--dry-run", "--json")
    assert (code, json.loads(out)["new_messages"], json.loads(out)["dry_run"]) == (0, 2, True)
    code, out, _ = run("import", path, "--label", "Lob=praise")
    assert code == 0
    assert "2 labels added" in out and "next: switchboard data check" in out
    code, out, _ = run("check")
    assert (code, "training may start" in out) == (0, True)
    code, out, _ = run("snapshot", "--json")
    first = json.loads(out)
    assert first["kinds"] == {"customer": 2, "seed": 240}
    run("import", _file(tmp_path, {"id": "1", "text": ROWS[0]["text"], "label": "lead"}))
    assert run("snapshot")[0] == 0
    code, out, _ = run("diff", first["id"][:8], "latest", "--json")
    assert json.loads(out)["relabelled"] == {"1": ["praise", "lead"]}
    code, out, _ = run("forget", "--author", "ann", "--json")
    report = json.loads(out)
    assert (code, report["messages"], report["stores"]["snapshots"]) == (0, 1, 2)
    assert "refused: forgotten" in run("import", path, "--label", "Lob=praise")[1]


def test_a_damaged_snapshot_is_one_line_and_the_next_snapshot_mends_it_and_says_so(run, tmp_path: Path):
    run("import", _file(tmp_path, ROWS[0]))
    folder = Path(json.loads(run("snapshot", "--no-seed", "--json")[1])["folder"])
    DAMAGES["rows cut"](folder)
    code, _, err = run("check", "latest")
    assert (code, err.count("\n")) == (2, 1)
    assert f"{folder}/rows.parquet: missing or damaged; make a new snapshot" in err
    code, out, _ = run("snapshot", "--no-seed")
    assert code == 0 and f"mended: it was damaged ({folder}/rows.parquet: missing or damaged)" in out
    assert json.loads(run("snapshot", "--no-seed", "--json")[1])["mended"] == []


def test_a_bad_file_is_one_line_and_exit_code_2(run, tmp_path: Path, var_dir: Path):
    code, out, err = run("import", _file(tmp_path, *ROWS))
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "crm.jsonl, line 2: unknown label 'Lob'" in err
    with open_ledger() as ledger:
        assert not list(ledger.messages.all())
    code, out, _ = run("import", tmp_path / "crm.jsonl", "--keep-good")
    assert code == 0
    assert "1 bad rows" in out


def test_check_says_by_its_exit_code_that_training_must_not_start(run, tmp_path: Path):
    code, out, _ = run("check", _file(tmp_path, *ROWS))
    assert (code, "training must not start" in out) == (1, True)
    assert "crm.jsonl, line 2: unknown label 'Lob'" in out
    code, out, _ = run("check", tmp_path / "crm.jsonl", "--json")
    assert (code, json.loads(out)["may_train"]) == (1, False)


def test_migrate_without_a_new_taxonomy_is_refused(run, tmp_path: Path):
    run("import", _file(tmp_path, ROWS[0]))
    (tmp_path / "map.yaml").write_text("from_version: '1'\nto_version: '2'\nlabels: {}\n")
    code, _, err = run("migrate", tmp_path / "map.yaml")
    assert (code, "already" in err) == (2, True)


@pytest.mark.parametrize("words", [(), ("--author", "a", "--message", "b")])
def test_forget_wants_one_name(run, words: tuple[str, ...]):
    code, _, err = run("forget", *words)
    assert (code, "name either --author or --message" in err) == (2, True)


def test_a_ledger_of_a_newer_version_is_one_line(run, var_dir: Path):
    with open_ledger() as ledger, ledger.database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    code, _, err = run("snapshot")
    assert (code, err.count("\n")) == (2, 1)
    assert "is newer than this version of Switchboard" in err
