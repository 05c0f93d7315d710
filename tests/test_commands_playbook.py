import json

from tests.test_commands_classify import run


def test_check_says_what_is_in_it(monkeypatch, capsys):
    assert run(monkeypatch, "playbook", "check") == 0
    assert "is valid: 8 segments" in capsys.readouterr().out


def test_check_refuses_a_wrong_file(tmp_path, monkeypatch, capsys):
    (tmp_path / "playbook.yaml").write_text("version: '1'\nsegment: {}\n")
    assert run(monkeypatch, "playbook", "check", str(tmp_path / "playbook.yaml")) == 2
    assert "playbook.yaml" in capsys.readouterr().err


def test_explain_shows_why(monkeypatch, capsys):
    run(monkeypatch, "playbook", "explain", "--text", "cancel my contract", "--label", "abuse", "--channel", "twitter")
    out = capsys.readouterr().out
    assert "-> rule leaving: team = retention" in out
    assert "=> auto: retention" in out


def test_explain_asks_a_model_and_speaks_json(tiny_bundle, monkeypatch, capsys):
    run(monkeypatch, "playbook", "explain", "--text", "broken router", "--model", str(tiny_bundle), "--json")
    assert json.loads(capsys.readouterr().out)["route"]["team"] == "technical"
