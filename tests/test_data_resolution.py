"""How several sayings become one label."""

from datetime import UTC, datetime, timedelta

import pytest

from configs.dataset import Policy, load_dataset_config
from configs.taxonomy import NONE, load_taxonomy
from data.ledger import LabelEvent, StoredEvent
from data.resolution import Resolved, resolve

POLICY = load_dataset_config().policy
TODAY = {load_taxonomy().version: {label: label for label in (*load_taxonomy().labels, NONE)}}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _said(*sayings: tuple, policy: Policy = POLICY, translations=TODAY) -> Resolved | None:
    """Resolve sayings (annotator, label or kind, further values), a minute apart."""
    events = []
    for number, (annotator, label, *more) in enumerate(sayings):
        kind = label if label in ("skip", "retract") else "label"
        values = {"origin": "labeler", "at": NOON + timedelta(minutes=number)} | (more[0] if more else {})
        events.append(StoredEvent(number, LabelEvent(
            key=str(number), message_id="m", annotator=annotator, kind=kind, label=label if kind == "label" else "", **values)))  # fmt: skip
    return resolve(events, policy, translations)


def _label(*sayings: tuple, **options) -> str | None:
    resolved = _said(*sayings, **options)
    return resolved.label if resolved else None


def test_an_annotators_last_word_stands():
    assert _label(("ann", "praise"), ("ann", "abuse")) == "abuse"


def test_the_last_word_is_the_latest_in_time_not_in_arrival():
    assert _label(("ann", "praise", {"at": NOON + timedelta(days=1)}), ("ann", "abuse")) == "praise"


def test_the_majority_wins_and_the_others_label_is_defensible():
    assert _said(("ann", "praise"), ("bob", "praise"), ("cid", "spam")) == Resolved(
        "praise", ("spam",), "labeler", ("ann", "bob"), disputed=False, batches=frozenset({""}))  # fmt: skip


def test_a_tie_goes_to_the_latest_and_is_disputed():
    resolved = _said(("ann", "praise"), ("bob", "spam"))
    assert resolved is not None
    assert (resolved.label, resolved.disputed) == ("spam", True)


def test_a_review_settles_whatever_the_majority_said():
    assert (
        _label(("ann", "praise"), ("rev", "lead", {"origin": "review"}), ("bob", "praise"), ("cid", "praise")) == "lead"
    )


def test_a_trusted_annotator_by_name_settles_too():
    policy = POLICY.model_copy(update={"trusted_annotators": ("eve",)})
    assert _label(("ann", "praise"), ("eve", "lead"), ("bob", "praise"), policy=policy) == "lead"


@pytest.mark.parametrize("weaker", ["import", "feedback", "seed"])
def test_labelers_outrank_other_origins(weaker: str):
    assert _label(("ann", "praise"), ("x", "spam", {"origin": weaker}), ("y", "spam", {"origin": weaker})) == "praise"


def test_skips_and_retractions_leave_nothing_standing():
    assert _said(("ann", "skip")) is None
    assert _said(("ann", "praise"), ("ann", "retract")) is None
    assert _label(("ann", "praise"), ("bob", "skip")) == "praise"


def test_a_retracted_annotation_leaves_the_same_persons_other_one():
    assert (
        _label(
            ("ann", "praise", {"subject": "1"}), ("ann", "spam", {"subject": "2"}), ("ann", "retract", {"subject": "2"})
        )
        == "praise"
    )


def test_none_is_a_label_like_any_other():
    assert _label(("ann", "none"), ("bob", "none"), ("cid", "spam")) == "none"


def test_old_labels_are_read_as_today_and_dropped_ones_are_no_saying():
    old = {"1": {"praise": "lead", "spam": None, "abuse": "none"}}
    assert _said(("ann", "praise", {"second": ("spam", "abuse")}), translations=old) == Resolved(
        "lead", ("none",), "labeler", ("ann",), disputed=False, batches=frozenset({""}))  # fmt: skip
    assert _said(("ann", "spam"), translations=old) is None
