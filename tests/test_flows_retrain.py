"""Labels in the ledger become a challenger, and nothing is promoted unless the configuration says so."""

import pytest

import flows.retrain as flow
from data.ledger import LabelEvent, open_ledger
from tests.tiny_base import make_base_model, tiny_recipe, tiny_rows
from training.publish import read_champion


@pytest.fixture
def labelled_ledger(registry, var_dir, tmp_path, monkeypatch):
    monkeypatch.setenv("SWITCHBOARD_DATABASE_URL", f"sqlite:///{var_dir / 'ledger.db'}")
    rows = tiny_rows(12, seed=3, prefix="customer")
    with open_ledger() as ledger:
        ledger.messages.add([row.message for row in rows])
        ledger.events.append(
            [
                LabelEvent(key=f"t:{row.message.id}", message_id=row.message.id, label=row.label, annotator="ann",
                           origin="labeler")
                for row in rows
            ]
        )  # fmt: skip
    recipe = tiny_recipe(make_base_model(tmp_path / "base"), max_rows=300, epochs=1)
    monkeypatch.setattr(flow, "load_recipe", lambda name: recipe)
    return registry


def test_new_labels_become_a_registered_challenger(labelled_ledger, var_dir):
    said: list[str] = []
    result = flow.retrain("48 new labels", say=said.append)
    found = labelled_ledger.find(result.version)
    assert "challenger" in found.aliases
    assert not result.promoted
    assert read_champion(var_dir / "published") is None
    assert said[0] == "retraining: 48 new labels"
