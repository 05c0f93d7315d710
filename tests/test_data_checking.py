"""What `data check` finds, and when it says that training must not start."""

import os
import re
import subprocess
import sys
from itertools import count

import pytest

from configs.taxonomy import load_taxonomy
from data.checking import CheckReport, check
from data.messages import Message
from data.neighbours import bands_of, likeness, pieces
from data.personal import personal_data
from data.snapshot import SnapshotRow

LABELS = load_taxonomy().labels
_WORDS = [
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "heath",
    "inlet",
    "jetty",
    "knoll",
    "ledge",
    "marsh",
    "north",
    "ocean",
    "prairie",
]


def _text(number: int) -> str:
    return " ".join(
        f"{_WORDS[(number * step) % 16]}{chr(97 + number % 26)}{chr(97 + number // 26 % 26)}" for step in range(3, 14)
    )


def _row(number: int, label: str = "", **values) -> SnapshotRow:
    label = label or LABELS[number % len(LABELS)]
    message = Message(
        values.pop("text", _text(number)),
        f"m{number}",
        author=values.pop("author", ""),
        thread_id=values.pop("thread_id", ""),
    )
    known = {"kind": "customer", "origin": "import", "disputed": False, "side": "", "near_group": ""} | values
    return SnapshotRow(message, label, (), **known)


def _good(side: str = "") -> list[SnapshotRow]:
    return [_row(number, side=side) for number in range(20 * len(LABELS))]


def _found(report: CheckReport, name: str) -> list[str]:
    return [f"{finding.level}: {finding.text}" for finding in report.findings if finding.check == name]


def test_a_good_set_may_train_and_has_nothing_to_say():
    report = check(_good())
    assert (report.may_train, report.findings) == (True, ())
    assert report.labels == dict.fromkeys(sorted(LABELS), 20)


def test_a_label_without_training_rows_forbids_training():
    report = check([row for row in _good() if row.label != "fraud"])
    assert _found(report, "balance") == ["error: no training rows for fraud"]
    assert not report.may_train


def test_an_unknown_label_forbids_training():
    assert _found(check([*_good(), _row(900, label="anger")]), "labels") == [
        "error: 1 rows are labelled 'anger', which the taxonomy lacks"
    ]


def test_few_rows_and_great_ratios_are_warned_of():
    rows = [row for row in _good() if row.label != "lead"] + [_row(907, label="lead")]
    report = check(rows)
    assert "only 1 training rows for lead" in _found(report, "balance")[0]
    assert report.may_train


@pytest.mark.parametrize(
    "link", [{"author": "ann"}, {"thread_id": "t"}, {"text": "the very same words in both of them"}]
)
def test_what_belongs_together_on_both_sides_is_leakage(link: dict):
    rows = [*_good("train"), _row(900, side="train", **link), _row(901, side="test", **link)]
    assert _found(check(rows), "leakage")[0].startswith("error: 1 rows have their like")


def test_quarantined_rows_leak_nothing_and_are_counted():
    rows = [*_good("train"), _row(900, side="quarantined", author="ann"), _row(901, side="test", author="ann")]
    report = check(rows)
    assert _found(report, "leakage") == []
    assert _found(report, "split")[0].startswith("warning: 1 rows would be on both sides")


def test_the_same_words_under_two_labels_are_a_conflict_and_many_forbid_training():
    one = check([*_good(), _row(900, text="@a Same words!", label="lead"), _row(901, text="same words", label="spam")])
    assert _found(one, "conflicts") == ["warning: 1 rows have the words of another row under another label"]
    assert [finding.examples for finding in one.findings if finding.check == "conflicts"] == [("m901",)]
    numbers = count(900)
    many = [_row(next(numbers), text=f"{_text(700)} x", label=label) for label in LABELS]
    assert _found(check([*_good(), *many]), "conflicts")[0].startswith("error: 7 rows")


def test_duplicates_and_near_duplicates_are_told_apart():
    text = "my parcel has been sitting in the depot since monday and nobody answers"
    report = check(
        [*_good(), *(_row(900 + at, text=text + end, label="request") for at, end in enumerate(["", "!", " today"]))]
    )
    assert _found(report, "duplicates")[0].startswith("warning: 1 rows")
    assert _found(report, "near duplicates")[0].startswith("warning: 1 rows")


_BASE = "my parcel has been sitting in the depot since monday and nobody answers"


def test_the_same_words_on_both_sides_are_a_leak_also_where_they_are_nearly_an_earlier_row():
    rows = [_row(900, text=_BASE, side="train"), _row(901, text=f"{_BASE} today", side="train"),
            _row(902, text=f"{_BASE} today", side="test")]  # fmt: skip
    found = [finding for finding in check([*_good("train"), *rows]).findings if finding.check == "leakage"]
    assert [finding.examples for finding in found] == [("m902",)]


def test_a_near_duplicate_is_found_where_an_unlike_text_took_all_the_bands_it_shares_first():
    middle = "my parcel has been knoll in the depot since fjord ember nobody answers"
    last = "my parcel has been knoll in the depot since fjord ember heath answers"
    first, second, third = (pieces(text) for text in (_BASE, middle, last))
    shared = {*bands_of(second)} & {*bands_of(third)}
    assert likeness(second, third) > 0.7 > likeness(first, second) and shared and shared <= {*bands_of(first)}
    rows = [_row(900 + at, text=text, label="request") for at, text in enumerate((_BASE, middle, last))]
    assert _found(check([*_good(), *rows]), "near duplicates") == ["warning: 1 rows are nearly an earlier row"]


def test_empty_foreign_personal_and_disputed_rows_are_counted():
    report = check([*_good(), _row(900, text="@bob https://x.co/y"), _row(901, text="Wo ist meine Bestellung, ich warte schon seit zwei Wochen darauf"),
                    _row(902, text="mail me at jo@example.org about the blue kettle"), _row(903, disputed=True)])  # fmt: skip
    for name in ("empty", "language", "personal data", "disputes"):
        assert _found(report, name)[0].startswith("warning: 1 rows"), name


def test_one_author_of_much_is_warned_of():
    rows = [_row(number, author="brand" if number % 10 == 0 else f"a{number}") for number in range(160)]
    assert "16 rows are by one author ('brand')" in _found(check(rows), "split")[0]


def test_no_rows_forbid_training():
    assert not check([]).may_train


@pytest.mark.parametrize(
    ("text", "found"),
    [("call +44 20 7946 0958", ("phone",)), ("07700 900123 pls", ("phone",)), ("jo.b+x@mail.example.org", ("email",)),
     ("4111 1111 1111 1111", ("card",)), ("order 123456789", ()), ("@bob at 10.30 for £20,000", ()), ("ref 4111111111111112", ()),
     ("pay GB29 NWBK 6016 1331 9268 19", ("account", "phone"))],
)  # fmt: skip
def test_personal_data_is_told_from_other_numbers(text: str, found: tuple[str, ...]):
    assert personal_data(text) == found


_CHECK_MANY = """
from data import inspection
from tests.test_data_checking import _row
inspection._CACHE = 10
inspection.inspect((_row(number) for number in range(1000)), 0.7)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_temporary_folder_is_named_with_the_way_out(tmp_path):
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tmp_path], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:  # SQLite reads the variable once a process
        told = subprocess.run(
            [sys.executable, "-c", _CHECK_MANY], capture_output=True, text=True, env=os.environ | {"SQLITE_TMPDIR": str(tmp_path)}
        ).stderr.splitlines()[-1]  # fmt: skip
    finally:
        subprocess.run(["umount", tmp_path], check=True)
    assert re.search(r"SwitchboardError: row \d+: the temporary file .*disk is full.* SQLITE_TMPDIR", told)
