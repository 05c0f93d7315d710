"""`switchboard evaluate`, `report` and `compare` on real small bundles, as a person types them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from commands import compare, evaluate
from configs.errors import SwitchboardError
from tests.bundles import WORDS, make_bundle

run = CliRunner()


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    rows = [
        {"text": f"{words} {i}", "label": label, "industry": "bank"} for label, words in WORDS.items() for i in "ab"
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def own_var(var_dir: Path) -> None:
    """Keep reports and champions of these tests to themselves."""


def test_evaluate_prints_figures_behaviour_and_the_verdict(tiny_bundle: Path, labelled: Path):
    found = run.invoke(evaluate.app, ["evaluate", str(tiny_bundle), "--on", str(labelled)], catch_exceptions=False)
    assert found.exit_code == 0
    assert "macro_f1               1.000" in found.stdout
    assert "behaviour, share of checks failed" in found.stdout
    assert "gate: failed" in found.stdout and "insufficient_evidence" in found.stdout


def test_evaluate_for_machines_is_json_and_writes_the_report(tiny_bundle: Path, labelled: Path, tmp_path: Path):
    folder = tmp_path / "report"
    given = ["evaluate", str(tiny_bundle), "--on", str(labelled), "--json", "--report", str(folder)]
    found = json.loads(run.invoke(evaluate.app, given, catch_exceptions=False).stdout)
    assert found["rows"] == 16
    assert found["figures"]["accuracy"] == 1.0
    assert found["intervals"]["f1_fraud"][3] == 2
    assert found["gate"]["passed"] is False
    assert {one["label"]: (one["called"], one["count"]) for one in found["spam_sink_by_label"]}["fraud"] == (0, 2)
    assert (
        found["confused_pairs"] == []
        and found["next_steps"]
        and found["risk_coverage"][-1] == {"coverage": 1.0, "risk": 0.0}
    )
    assert sum(one["count"] for one in found["slices"] if one["facet"] == "length") in (0, 16)
    assert "<!doctype html>" in (folder / "report.html").read_text(encoding="utf-8")


def test_report_says_where_its_page_is(tiny_bundle: Path, labelled: Path):
    found = run.invoke(evaluate.app, ["report", str(tiny_bundle), "--on", str(labelled)], catch_exceptions=False)
    assert Path(found.stdout.strip()).is_file()


def test_compare_names_what_got_worse_with_messages(tiny_bundle: Path, labelled: Path, tmp_path: Path):
    blind = make_bundle(tmp_path / "blind", strength=0.0, name="blind")
    given = [str(tiny_bundle), str(blind), "--on", str(labelled)]
    found = run.invoke(compare.app, given, catch_exceptions=False)
    assert "worse" in found.stdout
    assert "fraud: 2 broken" in found.stdout
    assert "fraud -> spam" in found.stdout
    same = json.loads(run.invoke(compare.app, [*given[:1], *given[:1], *given[2:], "--json"]).stdout)
    assert same["flips"] == [] and same["figures"]["macro_f1"]["verdict"] == "no sure change"


def test_rows_that_are_not_there_are_one_clear_line(tiny_bundle: Path, tmp_path: Path):
    with pytest.raises(SwitchboardError, match="no such file"):
        run.invoke(evaluate.app, ["evaluate", str(tiny_bundle), "--on", str(tmp_path / "no.jsonl")],
                   catch_exceptions=False)  # fmt: skip
    with pytest.raises(SwitchboardError, match="no single snapshot"):
        run.invoke(evaluate.app, ["evaluate", str(tiny_bundle), "--on", "nosuch"], catch_exceptions=False)
