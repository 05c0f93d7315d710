"""Forgetting a message reaches a real Label Studio: its task and labels go, and answers to it lose the quote."""

from pathlib import Path

import pytest

from data.forgetting import forget_message
from data.ledger import Selection
from data.messages import Message
from flows.forget import named_stores
from tests.teams import AT, TEXTS

pytestmark = pytest.mark.xdist_group("labelstudio")


@pytest.fixture
def connected(team, label_studio, var_dir: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LABEL_STUDIO_URL", label_studio.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", label_studio.account.token)
    return team


def test_the_task_its_labels_and_the_quotes_of_it_are_gone(connected):
    team = connected
    team.ledger.messages.add([Message("same here", "m-5", parent_id="m-1", parent_text=TEXTS["m-1"][0])])
    team.ledger.selections.append([Selection(message_id="m-5", batch="b-1", strategy="random", at=AT)])
    team.set_up()
    team.push()
    team.annotate("ann", "m-1", "request")
    assert TEXTS["m-1"][0] in team.tasks()["m-5"]["data"]["answers"]
    report = forget_message(team.ledger, "m-1", named_stores(team.labeling))
    assert (report.stores["Label Studio"], report.failed) == (1, [])
    assert any("Label Studio: exports" in line for line in report.kept)
    assert sorted(team.tasks()) == ["m-2", "m-3", "m-4", "m-5"]
    assert team.tasks()["m-5"]["data"]["answers"] == ""
    assert team.push().new == 0


def test_a_server_that_does_not_answer_is_named_and_reached_the_next_time(connected, monkeypatch: pytest.MonkeyPatch):
    team = connected
    team.set_up()
    team.push()
    impatient = team.labeling.model_copy(update={"patience_s": 0.1})
    with monkeypatch.context() as gone:
        gone.setenv("LABEL_STUDIO_URL", "http://127.0.0.1:9")
        report = forget_message(team.ledger, "m-2", named_stores(impatient))
    assert report.failed[0].startswith("Label Studio: ")
    assert team.ledger.messages.get(["m-2"])["m-2"].message.text == ""
    assert forget_message(team.ledger, "m-2", named_stores(team.labeling)).stores["Label Studio"] == 1
    assert "m-2" not in team.tasks()
    assert not team.ledger.messages.known(["m-2"])


def test_quotes_go_from_the_answers_to_it_only_even_where_the_text_is_short_or_gone_already(
    connected, monkeypatch: pytest.MonkeyPatch
):
    """Answered are: m-2, which is forgotten after a failure took its text from the ledger, "ok", and something else."""
    team = connected
    team.ledger.messages.add([Message("ok", "m-ok"),
                              Message("to the forgotten", "m-5", parent_id="m-2", parent_text=TEXTS["m-2"][0]),
                              Message("to the short one", "m-6", parent_id="m-ok", parent_text="ok"),
                              Message("by text alone", "m-7", parent_text="ok"),
                              Message("to another", "m-8", parent_id="m-x", parent_text="the invoice looks wrong")])  # fmt: skip
    team.ledger.selections.append(
        [Selection(message_id=f"m-{key}", batch="b-1", strategy="random", at=AT) for key in ("5", "6", "7", "8")]
    )
    team.set_up()
    team.push()
    with monkeypatch.context() as gone:
        gone.setenv("LABEL_STUDIO_URL", "http://127.0.0.1:9")
        impatient = team.labeling.model_copy(update={"patience_s": 0.1})
        assert forget_message(team.ledger, "m-2", named_stores(impatient)).failed
    assert forget_message(team.ledger, "m-2", named_stores(team.labeling)).failed == []
    assert _quoting(team) == {"m-6", "m-7", "m-8"}
    assert forget_message(team.ledger, "m-ok", named_stores(team.labeling)).failed == []
    assert _quoting(team) == {"m-8"}


def _quoting(team) -> set[str]:
    return {message for message, task in team.tasks().items() if task["data"]["answers"]}


def test_without_any_label_studio_none_is_asked(var_dir: Path, monkeypatch: pytest.MonkeyPatch):
    from configs.labeling import load_labeling

    monkeypatch.delenv("LABEL_STUDIO_URL", raising=False)
    assert named_stores(load_labeling()) == ()
