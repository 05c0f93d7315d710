"""The labelers' page derives from the taxonomy: every label once, keys 1 to 8, and it is known again as ours."""

from xml.etree import ElementTree

import pytest
from pydantic import ValidationError

from configs.labeling import Screen, load_labeling
from configs.taxonomy import load_taxonomy
from labeling.interface import UNSURE, answers_of, build_instructions, build_interface, taxonomy_version_of

TAXONOMY, SCREEN = load_taxonomy(), load_labeling().screen
PAGE = build_interface(TAXONOMY, SCREEN)


def choices(page: str) -> list[ElementTree.Element]:
    return [
        one for asked in ElementTree.fromstring(page).iter("Choices") if asked.get("name") == "label" for one in asked
    ]


def test_every_label_of_the_taxonomy_can_be_given_and_nothing_else():
    assert answers_of(PAGE) == {*TAXONOMY.annotation_values, UNSURE}


def test_the_keys_follow_the_configured_order():
    assert [(one.get("alias"), one.get("hotkey")) for one in choices(PAGE)][:8] == [
        (label, str(key)) for key, label in enumerate(SCREEN.order, start=1)
    ]
    assert len({one.get("hotkey") for one in choices(PAGE)}) == len(choices(PAGE))


def test_a_label_that_the_configuration_forgot_still_has_a_key():
    page = build_interface(TAXONOMY, Screen(order=("fraud",)))
    assert answers_of(page) == answers_of(PAGE)
    assert choices(page)[0].get("alias") == "fraud"


def test_an_order_with_an_unknown_label_is_refused():
    with pytest.raises(ValidationError, match="complaint"):
        Screen(order=("complaint",))


def test_the_page_tells_which_taxonomy_it_was_made_for():
    assert taxonomy_version_of(PAGE) == TAXONOMY.version
    assert taxonomy_version_of("<View/>") is None


def test_the_instructions_hold_every_definition_and_rule():
    shown = build_instructions(TAXONOMY, SCREEN)
    assert all(segment.title in shown for segment in TAXONOMY.segments)
    assert sum(shown.count(f"• {rule}") for segment in TAXONOMY.segments for rule in segment.boundaries) >= 20
