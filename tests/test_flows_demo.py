"""The demo with a champion already there: it trains nothing, serves for real and shows ten decisions."""

import pytest

from configs.errors import SwitchboardError
from configs.taxonomy import load_taxonomy
from flows.demo import run_demo, serving
from training.publish import publish


@pytest.fixture
def said() -> list[str]:
    return []


def test_the_demo_classifies_ten_messages_over_http(var_dir, tiny_bundle, said):
    publish(tiny_bundle, "1", var_dir / "published")
    answers = run_demo(said.append)
    assert len(answers) == 10
    for text, result in answers:
        assert text
        assert result["label"] in load_taxonomy().labels
        assert sum(result["scores"].values()) == pytest.approx(1.0, abs=1e-6)
        assert result["decision"] in {"auto", "review"}
        assert result["route"]["team"]
    assert any("nothing to train" in line for line in said)
    assert said[-1] == "the service has stopped"


def test_a_service_that_ends_at_once_is_told_with_its_own_words(var_dir, said):
    (var_dir / "published").mkdir(parents=True)
    with pytest.raises(SwitchboardError, match=r"the service ended with 2(.|\n)*no champion yet"), serving(said.append):
        pass
