"""The gate at work on real versions: refusals with both figures, forced with a why, stale verdicts, fair samples."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from configs.errors import SwitchboardError
from configs.gate import load_gate
from configs.paths import published_dir
from configs.recipe import Recipe
from data.ledger import LabelEvent, Ledger, Selection, open_ledger
from data.messages import LabelledMessage, Message
from data.snapshotting import make_snapshot
from flows import evaluate, judging
from flows.evaluate import evaluate_model, report_on
from flows.judging import GATE_FILE, NO_CHAMPION, assess, gate_tags
from flows.learning import learning_tags
from flows.training_set import TrainingSet, customer_training_set
from switchboard import app
from tests.bundles import WORDS, make_bundle
from training.bundle import MANIFEST, MODEL
from training.publish import POINTER, Champion, publish, read_audit, read_champion
from training.registry import Registry

ROWS = [LabelledMessage(Message(f"{words} {n}", f"{label}-{n}", source="seed"), label)
        for label, words in WORDS.items() for n in range(40)]  # fmt: skip


def _call(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny models are judged by figures alone."""
    gate = load_gate().model_copy(update={"max_failure_rates": {}, "max_calibration_error": 1.0})
    monkeypatch.setattr(judging, "load_gate", lambda: gate)


@pytest.fixture
def no_floors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models are refused by what the champion does better, and by nothing else."""
    floors = {"min_macro_f1": 0.0, "min_label_f1": 0.0, "min_fraud_recall": 0.0, "max_spam_sink": 1.0,
              "max_fraud_sunk": 1.0, "max_calibration_error": 1.0, "max_failure_rates": {}}  # fmt: skip
    gate = load_gate().model_copy(update=floors)
    monkeypatch.setattr(judging, "load_gate", lambda: gate)
    monkeypatch.setattr(evaluate, "load_gate", lambda: gate)


def _damage_champion() -> Champion:
    champion = read_champion(published_dir())
    assert champion is not None
    path = published_dir() / champion.folder / MODEL
    model = bytearray(path.read_bytes())
    model[len(model) // 2] ^= 1
    path.write_bytes(model)
    return champion


def _register(registry: Registry, folder: Path, strength: float) -> str:
    bundle = make_bundle(folder, strength=strength, name=folder.name)
    with registry.run(folder.name) as run:
        found = assess(bundle, ROWS)
        run.log_metrics(found.candidate.figures())
        return registry.register(run, bundle, gate_tags(found))


def test_a_refusal_shows_both_figures_and_only_a_why_forces_it(registry: Registry, tmp_path: Path, lenient: None):
    good, bad = _register(registry, tmp_path / "good", 2.0), None
    assert _call("promote", good, "--why", "first").exit_code == 0
    bad = _register(registry, tmp_path / "bad", 0.0)
    judged = judging.judge_again(registry, registry.find(bad), _file(tmp_path), lambda line: None)
    assert judged.tags["gate"].startswith("failed: macro_f1")
    refused = _call("promote", bad)
    assert isinstance(refused.exception, SwitchboardError) and "--force --why" in str(refused.exception)
    line = next(line for line in refused.stdout.splitlines() if line.split()[:2] == ["macro_f1", "seed"])
    assert float(line.split()[2]) > float(line.split()[3]) and "worse beyond chance" in line
    assert "say why" in str(_call("promote", bad, "--force").exception)
    assert _call("promote", bad, "--force", "--why", "a trial").exit_code == 0
    assert _call("rollback", "--why", "trial over").exit_code == 0
    champion = read_champion(published_dir())
    assert champion is not None and champion.version == good
    trail = read_audit(published_dir())
    assert [(one.action, one.previous, one.version, one.reason) for one in trail] == [
        ("promote", None, good, "first"), ("force", good, bad, "a trial"), ("rollback", bad, good, "trial over"),
    ]  # fmt: skip
    assert trail[0].verdict == "passed" and trail[1].verdict.startswith("failed: macro_f1")


def test_a_damaged_pointer_is_mended_by_promoting_and_by_rolling_back(
    registry: Registry, tmp_path: Path, lenient: None
):
    first = _register(registry, tmp_path / "first", 2.0)
    assert _call("promote", first).exit_code == 0
    (published_dir() / POINTER).write_text("{half")
    second = _register(registry, tmp_path / "second", 2.5)  # judged beside the champion that the trail names
    done = _call("promote", second, "--why", "new")
    assert done.exit_code == 0 and "champion.json was damaged" in done.stderr
    (published_dir() / POINTER).write_text("")
    assert _call("rollback").exit_code == 0
    champion = read_champion(published_dir())
    assert champion is not None and champion.version == first
    assert [(one.action, one.previous, one.version, one.reason) for one in read_audit(published_dir())] == [
        ("promote", None, first, ""), ("promote", first, second, "new; champion.json was damaged"),
        ("rollback", second, first, "champion.json was damaged"),
    ]  # fmt: skip


def test_machines_read_what_changed_and_what_was_refused(registry: Registry, tmp_path: Path, lenient: None):
    good, bad = (_register(registry, tmp_path / name, strength) for name, strength in (("good", 2.0), ("bad", 0.0)))
    said = json.loads(_call("promote", good, "--json").stdout)
    assert (said["action"], said["against"], said["previous"], said["champion"]["version"]) == (
        "promote", None, None, good,
    )  # fmt: skip
    judging.judge_again(registry, registry.find(bad), _file(tmp_path), lambda line: None)
    refused = _call("promote", bad, "--json")
    said = json.loads(refused.stdout)
    assert refused.exit_code != 0 and said["action"] == "refused" and not said["gate"]["passed"]
    assert said["against"].startswith("the gate says failed") and said["champion"]["version"] == good
    said = json.loads(_call("promote", bad, "--force", "--why", "a trial", "--json").stdout)
    assert (said["action"], said["previous"]["version"], said["champion"]["version"]) == ("force", good, bad)
    said = json.loads(_call("rollback", "--json").stdout)
    assert (said["action"], said["previous"]["version"], said["champion"]["version"]) == ("rollback", bad, good)


def test_a_verdict_against_another_champion_is_no_pass_until_judged_again(
    registry: Registry, tmp_path: Path, lenient: None
):
    first, second = (_register(registry, tmp_path / name, strength) for name, strength in (("a", 2.0), ("b", 1.8)))
    assert _call("promote", first).exit_code == 0
    assert "another champion" in str(_call("promote", second).exception)
    assert _call("promote", second, "--again", "--on", _file(tmp_path)).exit_code == 0
    assert _call("promote", second).exit_code == 0, "the champion itself may be published again"


def test_rows_that_are_named_are_judged_on_beside_what_is_current_and_not_instead(
    registry: Registry, tmp_path: Path, lenient: None
):
    good, bad = (_register(registry, tmp_path / name, strength) for name, strength in (("good", 2.0), ("bad", 0.0)))
    assert _call("promote", good).exit_code == 0
    path = tmp_path / "gibberish.jsonl"  # on which both are as bad
    path.write_text("".join(json.dumps({"text": f"qwx {label} {n} zzv", "label": label}) + "\n"
                            for label in WORDS for n in range(40)))  # fmt: skip
    refused = _call("promote", bad, "--again", "--on", str(path))
    assert isinstance(refused.exception, SwitchboardError) and "the gate says failed" in str(refused.exception)


def test_a_verdict_from_before_a_companys_newest_test_rows_is_no_pass(
    registry: Registry, tmp_path: Path, no_floors: None
):
    number = _register(registry, tmp_path / "one", 2.0)
    with open_ledger() as ledger:
        _label(ledger, 4)
        make_snapshot(ledger)
    assert "test rows of your own have come since" in str(_call("promote", number).exception)
    assert _call("promote", number, "--again").exit_code == 0
    assert _call("promote", number).exit_code == 0, "the champion itself may be published again"


def test_a_damaged_champion_is_compared_from_the_registry(registry: Registry, tmp_path: Path, no_floors: None):
    good = _register(registry, tmp_path / "good", 2.0)
    assert _call("promote", good).exit_code == 0
    champion, said = _damage_champion(), []
    found = assess(make_bundle(tmp_path / "bad", strength=0.0), ROWS, say=said.append)
    assert found.champion == champion and gate_tags(found)["gate_champion"] == champion.digest
    assert "worse beyond chance" in found.verdict.reasons[0]
    assert any("damaged or changed" in line and "registry" in line for line in said)


@pytest.mark.parametrize("lost", [MODEL, MANIFEST])
def test_a_champion_that_nobody_has_whole_is_no_pass(registry: Registry, tmp_path: Path, no_floors: None, lost: str):
    publish(make_bundle(tmp_path / "good"), "1", published_dir())
    champion = _damage_champion()
    (published_dir() / champion.folder / lost).unlink()
    bundle = make_bundle(tmp_path / "bad", strength=0.0)
    found = assess(bundle, ROWS)
    check = found.verdict.checks[0]
    assert (check.name, check.state, found.verdict.passed) == ("champion", "insufficient_evidence", False)
    assert check.says.startswith("champion: insufficient_evidence, version 1 cannot be compared: ")
    assert found.champion is None and gate_tags(found)["gate_champion"] == NO_CHAMPION
    with registry.run("bad") as run:
        number = registry.register(run, bundle, gate_tags(found))
    assert "the gate says failed: champion: insufficient_evidence" in str(_call("promote", number).exception)
    judged = evaluate_model(str(bundle), _file(tmp_path), lambda line: None)
    assert judged.verdict is not None and not judged.verdict.passed and judged.champion == ""


def test_a_report_is_kept_in_the_run_of_its_version(registry: Registry, tmp_path: Path):
    number, rows = _register(registry, tmp_path / "one", 2.0), _file(tmp_path)
    page = report_on(evaluate_model(number, rows, lambda line: None), rows, tmp_path / "report")
    kept = registry.text(registry.find(number), f"reports/{Path(rows).stem}-jsonl.html")
    assert kept == page.read_text(encoding="utf-8") and "<!doctype html>" in kept


def test_the_champions_report_says_how_it_became_that(registry: Registry, tmp_path: Path, lenient: None):
    number, rows = _register(registry, tmp_path / "one", 2.0), _file(tmp_path)
    assert _call("promote", number, "--why", "first of all").exit_code == 0
    page = report_on(evaluate_model("champion", rows, lambda line: None), rows, tmp_path / "report").read_text()
    assert "This is the champion." in page and f"Version {number}, by " in page
    assert "(promote), because: first of all. The gate: passed." in page


def test_evaluate_advises_as_the_report_does(registry: Registry, tmp_path: Path):
    bundle, rows = make_bundle(tmp_path / "one"), _file(tmp_path)
    with registry.run("one") as run:
        number = registry.register(run, bundle, learning_tags(_recipe(), TrainingSet(ROWS, [], ROWS[:8], "f")))
    advice = json.loads(_call("evaluate", number, "--on", rows, "--json").stdout)["next_steps"]
    assert "training rows" in advice[0]
    page = report_on(evaluate_model(number, rows, lambda line: None), rows, tmp_path / "report").read_text()
    assert all(f"<li>{line}</li>" in page for line in advice)


@pytest.mark.parametrize("bound", [20, 1000])
def test_randomly_drawn_test_rows_decide_alone_once_they_are_enough(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: int
):
    """Rows chosen because the model was unsure of them decide nothing, however many they are."""
    gate = load_gate().model_copy(update={"min_customer_rows": bound})
    monkeypatch.setattr(judging, "load_gate", lambda: gate)
    monkeypatch.setattr(evaluate, "load_gate", lambda: gate)
    with open_ledger() as ledger:
        _label(ledger, 40)
        snapshot = make_snapshot(ledger)
    side = list(snapshot.rows("test"))
    drawn = [row for row in side if row.drawn]
    own = [row for row in side if row.kind == "customer"]
    assert 20 <= len(drawn) < len(own) < len(side)
    assert all(row.message.id.endswith("-drawn") for row in drawn)
    rows = customer_training_set(_recipe(), str(snapshot.folder))
    assert rows.drawn >= {row.message.id for row in drawn}
    bundle = make_bundle(tmp_path / "one")
    for verdict in (assess(bundle, rows.test, rows.drawn).verdict,
                    evaluate_model(str(bundle), str(snapshot.folder), lambda line: None).verdict):  # fmt: skip
        assert verdict is not None and verdict.decided_by == ("customer" if bound == 20 else "seed")
        counted = {check.part: check.support for check in verdict.checks if check.name == "macro_f1"}
        assert counted["customer"] == len(drawn if bound == 20 else own)
    with registry.run("again") as run:
        number = registry.register(run, bundle, {})
    judged = judging.judge_again(registry, registry.find(number), None, lambda line: None)  # on no rows that are named
    kept = json.loads(registry.text(judged, GATE_FILE))
    counts = {one["part"]: one["support"] for one in kept["checks"] if one["name"] == "macro_f1"}
    assert counts["customer"] == counted["customer"] and kept["decided_by"] == verdict.decided_by


def _label(ledger: Ledger, per_label: int) -> None:
    """Label seed messages and customers', of which every other one was drawn at random, its prediction hidden."""
    draw, now = random.Random(0), datetime.now(UTC)
    for label, words in WORDS.items():
        for number in range(3 * per_label):
            how = ("seed", "drawn", "asked")[number % 3]
            noise = " ".join("".join(draw.choices("abcdefghij", k=6)) for _ in range(6))  # unlike each other
            key, is_seed = f"{label}-{number}-{how}", how == "seed"
            ledger.messages.add(
                [Message(f"{draw.choice(words.split())} {noise}", key, source="seed" if is_seed else "")]
            )
            if not is_seed:
                ledger.selections.append([Selection(message_id=key, batch="b", blind=how == "drawn", at=now - timedelta(hours=2),
                                                    strategy="random" if how == "drawn" else "uncertain")])  # fmt: skip
            ledger.events.append([LabelEvent(key=key, message_id=key, annotator="ann", label=label,
                                             origin="seed" if is_seed else "labeler")])  # fmt: skip


def _recipe(**changes: object) -> Recipe:
    return Recipe.model_validate({"name": "t", "epochs": 1, "learning_rate": 1e-4, **changes})


def _file(tmp_path: Path) -> str:
    path = tmp_path / "rows.jsonl"
    path.write_text(
        "".join(json.dumps({"id": row.message.id, "text": row.message.text, "label": row.label}) + "\n" for row in ROWS)
    )
    return str(path)
