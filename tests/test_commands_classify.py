import json
from pathlib import Path

import pytest

import switchboard


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["switchboard", *arguments])
    with pytest.raises(SystemExit) as stopped:
        switchboard.main()
    return int(stopped.value.code or 0)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "my router is broken"}\n{"text": 3}\n')
    return path


def test_a_file_is_classified_with_a_named_bundle(source, tiny_bundle, monkeypatch, capsys):
    output = source.with_name("out.jsonl")
    assert run(monkeypatch, "classify", str(source), "-o", str(output), "--model", str(tiny_bundle)) == 0
    assert [json.loads(line).get("label") for line in output.read_text().splitlines()] == ["request", None]
    assert "2 messages" in capsys.readouterr().out


def test_json_gives_a_summary_for_machines(source, tiny_bundle, monkeypatch, capsys):
    run(
        monkeypatch,
        "classify",
        str(source),
        "-o",
        str(source.with_name("o.jsonl")),
        "--model",
        str(tiny_bundle),
        "--json",
    )
    assert json.loads(capsys.readouterr().out)["errors"] == 1


@pytest.mark.parametrize(("arguments", "said"), [
    (("classify", "missing.jsonl"), "no such file"),
    (("classify", "{source}"), "no champion yet"),
    (("classify", "{source}", "-o", "{source}", "--model", "{bundle}"), "is the file to read"),
])  # fmt: skip
def test_bad_input_is_one_line_and_exit_code_two(arguments, said, source, tiny_bundle, var_dir, monkeypatch, capsys):
    named = [argument.format(source=source, bundle=tiny_bundle) for argument in arguments]
    assert run(monkeypatch, *named) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert said in error
