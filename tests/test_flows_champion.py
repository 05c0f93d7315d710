"""A champion that nobody can read is never a pass: not silently, and not by floors."""

import json
from pathlib import Path

import pytest

from configs.gate import load_gate
from configs.paths import published_dir
from flows import evaluate
from tests.bundles import WORDS, make_bundle
from training.bundle import MODEL
from training.publish import champion_folder, publish


def test_a_worse_model_beside_a_damaged_champion_does_not_pass(
    var_dir: Path, tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
):
    floors = {"min_macro_f1": 0.0, "min_label_f1": 0.0, "min_fraud_recall": 0.0, "max_spam_sink": 1.0,
              "max_fraud_sunk": 1.0, "max_calibration_error": 1.0, "max_failure_rates": {}}  # fmt: skip
    gate = load_gate().model_copy(update=floors)
    monkeypatch.setattr(evaluate, "load_gate", lambda: gate)
    rows = [{"text": f"{words} {n}", "label": label} for label, words in WORDS.items() for n in range(gate.min_rows)]
    (tmp_path / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    publish(tiny_bundle, "1", published_dir())
    path = champion_folder(published_dir()) / MODEL
    model = bytearray(path.read_bytes())
    model[len(model) // 2] ^= 1
    path.write_bytes(model)
    said: list[str] = []
    worse = str(make_bundle(tmp_path / "worse", strength=0.0))
    found = evaluate.evaluate_model(worse, str(tmp_path / "own.jsonl"), said.append)
    assert found.verdict is not None and not found.verdict.passed and found.champion == ""
    (reason,) = found.verdict.reasons
    assert reason.startswith("champion: insufficient_evidence, version 1 cannot be compared: ")
    assert "damaged or changed" in reason and "there is no registry" in reason
