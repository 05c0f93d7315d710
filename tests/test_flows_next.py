"""Choosing what to label from a file or the decision log; the reasons stand in the ledger."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from configs.errors import SwitchboardError
from configs.labeling import load_labeling
from data.corpus import read_corpus
from data.ledger import open_ledger
from flows.embedding import embed_texts
from flows.next import choose_next

LABELING = load_labeling()


@pytest.fixture
def ledger(sqlite_url: str):
    with open_ledger(sqlite_url) as opened:
        yield opened


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "messages.jsonl"
    rows = list(read_corpus())[:120]
    lines = [json.dumps({"id": row.id, "text": row.text}) for row in rows]
    path.write_text("\n".join([*lines, '{"id": "bad"}']), encoding="utf-8")
    return path


def test_a_file_is_classified_and_chosen_from_and_a_bad_row_left_out(ledger, file, tiny_bundle):
    chosen = choose_next(ledger, 30, LABELING, file=file, model=str(tiny_bundle), seed=1)
    assert (len(chosen.selections), chosen.candidates) == (30, 120)
    assert [item.message_id for item in ledger.selections.all()] == sorted(
        item.message_id for item in chosen.selections
    )


def test_a_second_batch_repeats_nobody_but_may_draw_at_random_what_others_chose(ledger, file, tiny_bundle):
    first = choose_next(ledger, 30, LABELING, file=file, model=str(tiny_bundle), seed=1)
    second = choose_next(ledger, 30, LABELING, seed=2)
    known = {item.message_id for item in first.selections}
    again = [item for item in second.selections if item.message_id in known]
    assert all(item.strategy == "random" for item in again)


def test_a_second_model_brings_disagreement(ledger, file, tiny_bundle):
    chosen = choose_next(
        ledger, 30, LABELING, file=file, model=str(tiny_bundle), against=str(tiny_bundle), seed=1
    )  # fmt: skip
    assert "disagreement" not in chosen.by_strategy  # the same model never disagrees with itself


def test_an_empty_decision_log_says_what_to_do(ledger):
    with pytest.raises(SwitchboardError, match="--from FILE"):
        choose_next(ledger, 30, LABELING, since=datetime(2026, 1, 1, tzinfo=UTC))


def test_messages_of_like_meaning_lie_closer_than_others():
    same, like, other = embed_texts(["where is my parcel?", "my package has not arrived", "love the new colours"])
    assert same @ like > same @ other


def test_a_large_log_is_compared_in_part_and_drawn_from_as_a_whole(ledger, file, tiny_bundle):
    small = load_labeling(("pool=20", "mix.coverage=1", "mix.random=0.5"))
    chosen = choose_next(ledger, 60, small, file=file, model=str(tiny_bundle), seed=1)
    assert 0 < chosen.by_strategy["coverage"] <= 20
    assert chosen.by_strategy["random"] > 10
