"""The spill: whole lines through crashes, full disks and several processes, and without who was forgotten."""

import os
import subprocess
from dataclasses import replace

import pytest

from data.forgetting import forget_author
from data.ledger import open_ledger
from serving.ledger_writer import LedgerWriter
from serving.records import Written, from_line, to_line
from serving.spill import Spill
from tests.log_records import correction, record


def test_a_spill_that_was_interrupted_is_found_again_and_torn_lines_are_left_out(tmp_path):
    spill = Spill(tmp_path, 1 << 20)
    spill.append([record(1), correction(1)])
    next(spill.batches())  # stops in the middle, as a killed process does
    with (tmp_path / "decisions.returning.jsonl").open("ab") as file:
        file.write(to_line(record(2))[:40])
    again = Spill(tmp_path, 1 << 20)
    assert again
    assert [type(one).__name__ for batch in again.batches() for one in batch] == ["DecisionRecord", "FeedbackRecord"]
    assert not again


def test_a_line_torn_by_a_crash_does_not_take_the_next_one_with_it(tmp_path):
    spill = Spill(tmp_path, 1 << 20)
    spill.append([record(1), record(2)])
    path = tmp_path / "decisions.spill.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    spill.append([record(3), record(4)])
    assert [one.decision.id for batch in spill.batches() for one in batch] == ["d-1", "d-3", "d-4"]


def test_lines_that_are_no_records_are_put_aside_and_counted(tmp_path):
    counted = []
    spill = Spill(tmp_path, 1 << 20, counted.append)
    spill.append([record(1)])
    newer = to_line(record(2)).replace(b'"confidence"', b'"certainty"')
    with (tmp_path / "decisions.spill.jsonl").open("ab") as file:
        file.write(newer + b"   \n")  # and a line blanked by `data forget`
    assert [one.decision.id for batch in spill.batches() for one in batch] == ["d-1"]
    aside = tmp_path / "decisions.unreadable.jsonl"
    assert (aside.read_bytes(), counted, aside.stat().st_mode & 0o777) == (newer, [1], 0o600)


def test_two_processes_share_a_spill_and_one_at_a_time_writes_back(tmp_path):
    ours, theirs = Spill(tmp_path, 1 << 20), Spill(tmp_path, 1 << 20)
    ours.append([record(1)])
    reading = ours.batches()
    first = next(reading)
    assert list(theirs.batches()) == [], "nothing is written back twice"
    theirs.append([record(2)])
    assert [one.decision.id for one in first] == ["d-1"] and list(reading) == []
    assert [one.decision.id for batch in theirs.batches() for one in batch] == ["d-2"], "nothing is lost between them"
    assert not ours


def test_the_spill_file_is_its_owners_and_bounded(tmp_path):
    spill = Spill(tmp_path, 2000)
    assert spill.append([record(1)])
    assert not spill.append([record(n) for n in range(20)])
    assert (tmp_path / "decisions.spill.jsonl").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_counts_what_is_lost_and_leaves_no_half_line(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        spill = Spill(disk, 1 << 20)
        while spill.append([record(n) for n in range(5)]):
            pass
        lines = (disk / "decisions.spill.jsonl").read_bytes()
        assert lines.endswith(b"\n") and all(from_line(line) for line in lines.splitlines())
    finally:
        subprocess.run(["umount", disk], check=True)


def test_lines_keep_records_whole():
    for one in (record(1), correction(1, note="so\nit is")):
        assert from_line(to_line(one)) == one


def test_a_spilled_decision_of_a_forgotten_author_is_written_without_words(sqlite_url, tmp_path, monkeypatch):
    monkeypatch.setenv("SWITCHBOARD_VAR", str(tmp_path))
    spill = Spill(tmp_path / "spill", 1 << 20)
    stored, unknown = record(1, text="only in the ledger"), record(2, text="never written")
    by_grete = replace(unknown, message=replace(unknown.message, author="grete", parent_text="asked"))
    path = tmp_path / "spill" / "decisions.spill.jsonl"
    with open_ledger(sqlite_url) as ledger:
        ledger.messages.add([replace(stored.message, author="grete")])
        spill.append([by_grete, correction(1, message_id="m-1", note="says grete"), record(3)])
        size = path.stat().st_size
        assert forget_author(ledger, "grete").stores["spill files"] == 2
        assert forget_author(ledger, "grete").stores["spill files"] == 0
    assert path.stat().st_size == size, "its writer may be appending"
    assert not any(word in path.read_bytes() for word in (b"grete", b"never written", b"asked"))
    writer = LedgerWriter(lambda: open_ledger(sqlite_url))
    assert [writer.write(batch) for batch in spill.batches()] == [Written()]
    ledger = writer.ledger()
    assert ledger.decisions.get(["d-2"])["d-2"].scores == {"praise": 0.9} and ledger.decisions.count() == 2
    assert [(one.event.label, one.event.note) for one in ledger.events.of(["m-1"])["m-1"]] == [("abuse", "")]
    assert ledger.messages.known(["m-1", "m-2", "m-3"]) == {"m-3"}
    writer.close()
