"""A changed taxonomy: labels renamed, merged, dropped; nothing an annotator said is lost."""

from pathlib import Path

import pytest

from configs import taxonomy as configured
from configs.errors import SwitchboardError
from configs.taxonomy import Taxonomy, load_taxonomy
from data import snapshot, snapshotting
from data.ledger import LabelEvent, Ledger, events
from data.messages import Message
from data.taxonomy_migration import migrate

OLD = load_taxonomy()
GOOD = "from_version: '1'\nto_version: '2'\nlabels: {lead: sales, praise: null, suggestion: question, abuse: none}\n"


@pytest.fixture
def new(monkeypatch: pytest.MonkeyPatch, var_dir: Path) -> Taxonomy:
    """Put a second version in place of the configured one, once the ledger holds labels of the first."""
    kept = tuple(one for one in OLD.segments if one.name not in ("praise", "suggestion", "abuse"))
    segments = tuple(one.model_copy(update={"name": "sales"}) if one.name == "lead" else one for one in kept)
    return OLD.model_copy(update={"version": "2", "segments": segments})


def _use(monkeypatch: pytest.MonkeyPatch, taxonomy: Taxonomy) -> None:
    for module in (configured, events, snapshot, snapshotting):
        monkeypatch.setattr(module, "load_taxonomy", lambda: taxonomy)


def _fill(ledger: Ledger) -> None:
    for label in (*OLD.labels, "none"):
        ledger.messages.add([Message(f"about {label} in words of its own: {label * 3}", f"m-{label}")])
        ledger.events.append(
            [LabelEvent(key=label, message_id=f"m-{label}", label=label, annotator="a", origin="labeler")]
        )


def _mapping(tmp_path: Path, content: str) -> Path:
    (tmp_path / "map.yaml").write_text(content)
    return tmp_path / "map.yaml"


def test_labels_are_renamed_merged_and_dropped(
    ledger: Ledger, tmp_path: Path, new: Taxonomy, monkeypatch: pytest.MonkeyPatch
):
    _fill(ledger)
    done = migrate(ledger, _mapping(tmp_path, GOOD), new)
    assert done.events == dict.fromkeys(sorted((*OLD.labels, "none")), 1)
    _use(monkeypatch, new)
    rows = {row.message.id: row.label for row in snapshotting.make_snapshot(ledger).rows()}
    assert rows == {"m-lead": "sales", "m-suggestion": "question", "m-abuse": "none", "m-none": "none", "m-spam": "spam",
                    "m-request": "request", "m-question": "question", "m-fraud": "fraud"}  # fmt: skip
    assert [stored.event.label for stored in ledger.events.all()] == [*OLD.labels, "none"]


def test_until_then_new_labels_and_snapshots_are_refused(
    ledger: Ledger, new: Taxonomy, monkeypatch: pytest.MonkeyPatch
):
    _fill(ledger)
    _use(monkeypatch, new)
    with pytest.raises(SwitchboardError, match="switchboard data migrate"):
        ledger.events.append(
            [LabelEvent(key="x", message_id="m", label="sales", annotator="a", origin="labeler", taxonomy_version="2")]
        )
    with pytest.raises(SwitchboardError, match="switchboard data migrate"):
        snapshotting.make_snapshot(ledger)


def test_a_dry_run_changes_nothing(ledger: Ledger, tmp_path: Path, new: Taxonomy):
    _fill(ledger)
    assert migrate(ledger, _mapping(tmp_path, GOOD), new, dry_run=True).labels["lead"] == "sales"
    assert ledger.taxonomies.current() == "1"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GOOD.replace("lead: sales, ", ""), "'lead' would become 'lead', which taxonomy '2' lacks"),
        (GOOD.replace("sales", "selling"), "'lead' would become 'selling'"),
        (GOOD.replace("lead", "leads"), "'leads' is no label of taxonomy '1'"),
        (GOOD.replace("'1'", "'0'"), "leads from taxonomy '0' to '2', but the ledger is at '1'"),
        ("labels: {}\n", "from_version"),
    ],
)
def test_a_mapping_that_leaves_labels_nowhere_is_refused(
    ledger: Ledger, tmp_path: Path, new: Taxonomy, content: str, said: str
):
    _fill(ledger)
    with pytest.raises(SwitchboardError) as caught:
        migrate(ledger, _mapping(tmp_path, content), new)
    assert said in str(caught.value)
    assert ledger.taxonomies.current() == "1"


def test_there_is_no_way_back_to_a_version_that_was_in_force_before(ledger: Ledger, tmp_path: Path, new: Taxonomy):
    _fill(ledger)
    migrate(ledger, _mapping(tmp_path, GOOD), new)
    back = _mapping(tmp_path, "from_version: '2'\nto_version: '1'\nlabels: {sales: lead}\n")
    for dry_run in (True, False):
        with pytest.raises(SwitchboardError, match=r"taxonomy '1' was in force in this ledger before.*a new version"):
            migrate(ledger, back, OLD, dry_run=dry_run)
    with pytest.raises(SwitchboardError, match="'1' was adopted before"):
        ledger.taxonomies.adopt(OLD, {})
    assert ledger.taxonomies.current() == "2"
    third = OLD.model_copy(update={"version": "3"})
    migrate(ledger, _mapping(tmp_path, back.read_text().replace("'1'", "'3'")), third)
    assert ledger.taxonomies.current() == "3"


def test_migrating_needs_a_new_version_and_something_to_migrate(ledger: Ledger, tmp_path: Path):
    with pytest.raises(SwitchboardError, match="nothing to migrate"):
        migrate(ledger, _mapping(tmp_path, GOOD))
    _fill(ledger)
    with pytest.raises(SwitchboardError, match="is at taxonomy '1' already"):
        migrate(ledger, _mapping(tmp_path, GOOD))
