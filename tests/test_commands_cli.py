"""The command line as a person meets it: quick help, one clear line for a mistake, exit code 2."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
HEAVY = (
    "torch",
    "transformers",
    "datasets",
    "mlflow",
    "bentoml",
    "onnxruntime",
    "pandas",
    "sklearn",
    "label_studio_sdk",
)


def run(*arguments: str, var: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SWITCHBOARD_VAR": str(var), "COLUMNS": "120"}
    command = [sys.executable, "-m", "switchboard", *arguments]
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=600)


def test_help_loads_nothing_heavy():
    code = f"import switchboard, sys; print([name for name in {HEAVY} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_help_names_the_commands_of_the_architecture(tmp_path):
    shown = run("--help", var=tmp_path).stdout
    for command in ("data", "train", "evaluate", "promote", "rollback", "models", "classify", "serve", "label"):
        assert command in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("train", "epoch=3"), "did you mean 'epochs'"),
        (("train", "fulll"), "did you mean 'full'"),
        (("model", "larg"), "did you mean 'large'"),
        (("train", "epochs=zero"), "epochs"),
        (("train", "own_rows=5"), "beside data=FILE"),
        (("train", "teacher=large"), "say with adapt=FILE which unlabelled messages"),
        (("train", "teacher="), "say which version after the equals sign"),
        (("train", "experiment="), "say why after the equals sign"),
        (("evaluate",), "no champion yet"),
        (("evaluate", "9"), "no model version or alias '9'"),
        (("promote", "7"), "no model version or alias '7'"),
        (("rollback",), "nothing to roll back to"),
        (("classify", "missing.jsonl", "-o", "out.jsonl"), "missing.jsonl: no such file"),
        (("serve",), "no champion yet"),
    ],
)
def test_a_mistake_is_one_line_with_the_remedy_and_exit_code_2(tmp_path, arguments, said):
    found = run(*arguments, var=tmp_path / "var")
    assert found.returncode == 2, found.stderr
    assert said in found.stderr
    assert "Traceback" not in found.stderr
    assert len(found.stderr.strip().splitlines()) == 1, found.stderr


def test_an_unknown_label_in_a_labelled_file_is_named_with_its_line(tmp_path):
    path = tmp_path / "labelled.jsonl"
    path.write_text('{"text": "hi", "label": "praise"}\n{"text": "ho", "label": "prise"}\n')
    found = run("evaluate", "--on", str(path), var=tmp_path / "var")
    assert found.returncode == 2
    assert "no champion yet" in found.stderr or "line 2: unknown label 'prise'" in found.stderr
