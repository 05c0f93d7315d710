"""Nobody is judged on what it learnt: digests beside a bundle know its texts, and those are left out, never silently."""

import json
import shutil
from pathlib import Path

import pytest

from configs.errors import SwitchboardError
from configs.paths import published_dir
from data.messages import LabelledMessage, Message
from flows.evaluate import compare_models, evaluate_model
from flows.seen import SEEN, keep_seen
from tests.bundles import WORDS, make_bundle
from training.bundle import BundleError
from training.publish import publish

LEARNT, NEW = ([LabelledMessage(Message(f"{words} {word}", f"{label}-{word}"), label) for label, words in WORDS.items()
                for word in of.split()] for of in ("red green blue", "north south"))  # fmt: skip


@pytest.fixture
def taught(tmp_path: Path) -> Path:
    """Return a bundle that knows what it learnt."""
    folder = make_bundle(tmp_path / "taught", name="taught")
    keep_seen(folder, LEARNT)
    return folder


def _file(folder: Path, rows: list[LabelledMessage]) -> str:
    """Write the rows as others would have them: without ids, in capitals, with a mention and a mark."""
    lines = [json.dumps({"text": f"@you {row.message.text.upper()}!", "label": row.label}) for row in rows]
    path = folder / "own.jsonl"
    path.write_text("\n".join(lines))
    return str(path)


def test_what_a_model_learnt_is_left_out_wherever_it_is_judged(
    var_dir: Path, tmp_path: Path, tiny_bundle: Path, taught: Path
):
    own, said = _file(tmp_path, [*LEARNT, *NEW]), []
    told = f"left out {len(LEARNT)} of {len(LEARNT) + len(NEW)} messages"
    found = evaluate_model(str(taught), own, said.append)
    assert len(found.rows) == len(found.candidate.scored.rows) == len(NEW)
    compared = compare_models(str(tiny_bundle), str(taught), own, said.append)
    assert compared.figures["macro_f1"].support == len(NEW)
    assert sum(line.startswith(told) for line in said) == 2
    assert len(evaluate_model(str(tiny_bundle), own, said.append).rows) == len([*LEARNT, *NEW]), (
        "nothing is known of it"
    )
    publish(taught, "1", published_dir())
    assert len(evaluate_model(str(tiny_bundle), own, said.append).rows) == len(NEW), "nor on what the champion learnt"
    assert len(evaluate_model("", own, said.append).rows) == len(NEW), "the champion itself, from its published copy"


def test_a_file_of_nothing_new_is_refused(var_dir: Path, tmp_path: Path, taught: Path):
    with pytest.raises(SwitchboardError, match=rf"own\.jsonl: all {len(LEARNT)} messages .* name others with --on"):
        evaluate_model(str(taught), _file(tmp_path, LEARNT), lambda line: None)


def test_damaged_digests_are_not_none(var_dir: Path, tmp_path: Path, taught: Path):
    cut = Path(shutil.copytree(taught, tmp_path / "cut"))
    (cut / SEEN).write_text((cut / SEEN).read_text()[:-9])
    with pytest.raises(BundleError, match=r"seen\.json: damaged"):
        evaluate_model(str(cut), _file(tmp_path, NEW), lambda line: None)


def test_no_text_can_be_read_from_them(taught: Path):
    kept = json.loads((taught / SEEN).read_text())
    assert len(kept) == len(LEARNT) and all(len(one) == 16 and int(one, 16) >= 0 for one in kept)
