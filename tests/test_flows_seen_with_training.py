"""Nobody is judged on what it learnt: digests beside a bundle know its rows, and those are left out, never silently."""

import json
import shutil
from pathlib import Path

import pytest

from configs.errors import SwitchboardError
from data.messages import LabelledMessage
from flows.evaluate import compare_models, evaluate_model
from flows.judging import judge_again
from flows.model import train_version
from flows.training_set import TrainingSet
from tests.bundles import make_bundle
from tests.tiny_base import tiny_recipe, tiny_rows
from training.parts import fingerprint
from training.registry import Registry

FIT, HOLDOUT, TEST = tiny_rows(24), tiny_rows(6, seed=1, prefix="h"), tiny_rows(8, seed=2, prefix="x")


def _file(tmp_path: Path, rows: list[LabelledMessage]) -> str:
    path = tmp_path / "own.jsonl"
    path.write_text("".join(json.dumps({"text": f"@you {row.message.text.upper()}!", "label": row.label}) + "\n"
                            for row in rows))  # fmt: skip
    return str(path)


def test_a_version_is_judged_again_on_what_it_did_not_learn(tiny_base: Path, registry: Registry, tmp_path: Path):
    rows = TrainingSet(FIT, HOLDOUT, TEST, fingerprint([*FIT, *HOLDOUT, *TEST]))
    version = train_version(tiny_recipe(tiny_base), rows, lambda line: None, registry).version
    own, inside = _file(tmp_path, [*FIT, *HOLDOUT, *TEST]), sum(row.label != "none" for row in TEST)
    told = f"left out {len(FIT) + len(HOLDOUT)} of "
    said: list[str] = []
    judge_again(registry, version, own, said.append)
    checks = json.loads(registry.text(version, "gate.json"))["checks"]
    counts = {check["part"]: check["support"] for check in checks if check["name"] == "macro_f1"}
    assert counts["customer"] == inside and counts["seed"] > 4000
    assert sum(told in line for line in said) == 1
    evaluated = evaluate_model(version.version, own, said.append)
    assert len(evaluated.rows) == len(evaluated.candidate.scored.rows) == len(TEST)
    other = make_bundle(tmp_path / "other")  # made before digests were kept: nothing is known of it
    assert len(evaluate_model(str(other), own, said.append).rows) == len([*FIT, *HOLDOUT, *TEST])
    found = compare_models(str(other), version.version, own, said.append)
    assert found.figures["macro_f1"].support == inside and sum(told in line for line in said) == 3
    for words in ("broken", "router"):  # what stands beside the bundle says nothing of the texts
        assert words not in (registry.fetch(version) / "seen.json").read_text()
    copied = Path(shutil.copytree(registry.fetch(version), tmp_path / "copied"))
    assert len(evaluate_model(str(copied), own, said.append).rows) == len(TEST)
    with pytest.raises(SwitchboardError, match=r"own\.jsonl: all \d+ messages .* --on"):
        judge_again(registry, version, _file(tmp_path, [*FIT, *HOLDOUT]), said.append)
