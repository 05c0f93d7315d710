"""Parts: an id's place never changes, and a fingerprint covers the rows whatever their order."""

from dataclasses import replace

from tests.tiny_base import tiny_rows
from training.parts import bucket, fingerprint, seed_parts


def test_a_place_never_changes():
    assert [bucket(name) for name in ("seed-0001", "seed-0002", "m-1")] == [72, 67, 10]
    assert all(0 <= bucket(str(number)) < 100 for number in range(1000))


def test_every_row_has_one_part_and_more_rows_move_none():
    few, many = tiny_rows(20), tiny_rows(40)
    before, after = seed_parts(few), seed_parts(many)
    assert sum(map(len, after)) == len(many)
    for old, new in zip(before, after, strict=True):
        assert {row.message.id for row in old} <= {row.message.id for row in new}


def test_the_shares_are_about_those_asked_for():
    fit, holdout, test = map(len, seed_parts(tiny_rows(300)))
    assert 0.78 < fit / 2700 < 0.86 and 0.07 < holdout / 2700 < 0.13 and 0.05 < test / 2700 < 0.11


def test_the_fingerprint_ignores_order_and_sees_each_change():
    rows = tiny_rows(3)
    whole = fingerprint(rows)
    assert fingerprint(rows[::-1]) == whole
    for changed in (replace(rows[0], label="spam"), replace(rows[0], second=("lead",)), rows[1]):
        assert fingerprint([changed, *rows[1:]]) != whole or changed == rows[0]
