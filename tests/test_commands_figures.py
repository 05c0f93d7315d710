"""Figures that no message shows are a dash to people and null to machines."""

import json

from commands.figures import plain, shown

NAN = float("nan")


def test_a_figure_keeps_its_format_and_what_is_none_is_a_dash_as_wide():
    assert [shown(0.5), shown(0.5, "7.3f"), shown(-0.25, "+.3f")] == ["0.500", "  0.500", "-0.250"]
    assert [shown(NAN), shown(NAN, "7.3f")] == ["    -", "      -"]


def test_what_is_not_a_number_is_null_in_json():
    assert json.dumps(plain({"a": 1.0, "b": NAN, "c": "x"})) == '{"a": 1.0, "b": null, "c": "x"}'
