"""The cells of the comparison: which systems at which sizes, on which rows; each is kept by a digest of all it is of."""

import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.quality.rows import Job
from configs.paths import PROJECT, var_dir
from configs.taxonomy import NONE, load_taxonomy
from data.clean import clean
from data.parsing import read_labelled, to_message
from data.readers import read_rows
from training.bundle import MANIFEST

SIZES = ("0", "8", "16", "32", "64", "all")
FEW_SIZES = ("8", "64", "all")  # of SLOW
PEERS = ("tfidf_lr", "linear_svm", "fasttext", "frozen_lr", "model2vec", "setfit", "plain_finetune")
APART = ("fasttext", "model2vec", "setfit")  # peers whose packages live in an environment of their own
OURS = ("ours", "ours_real", "ours_archive", "ours_taught", "ours_large")
SLOW = ("setfit", "ours_archive", "ours_taught", "ours_large")
WITHOUT_LABELS = ("ours", "ours_taught", "ours_large")  # systems that have something to learn from at size 0
_OWN_CODE = ("configs", "data", "training", "flows/seed_bundle.py", "flows/training_set.py")


@dataclass(frozen=True)
class Split:
    """The rows that may be learnt from and those that are scored; `random` are ids of those drawn at random."""

    train: list[dict]
    test: list[dict]
    random: frozenset[str] = frozenset()


def real_data() -> Path:
    """Return the folder of the real messages: SWITCHBOARD_REAL_DATA, else ../shared/data."""
    return Path(os.environ.get("SWITCHBOARD_REAL_DATA") or PROJECT.parent / "shared" / "data")


def split_rows(on: str) -> Split:
    """Return real_train against `dev`, or four fifths of real_train against the fifth that a seedless draw leaves."""
    path = real_data() / "real_train.jsonl"
    train = _read(path)
    if on == "dev":
        path = real_data() / "real_dev.jsonl"
        return Split(train, _read(path), _drawn_at_random(path))
    held = {row["id"] for row in train if int(hashlib.sha256(row["id"].encode()).hexdigest(), 16) % 5 == 0}
    return Split(
        [row for row in train if row["id"] not in held],
        [row for row in train if row["id"] in held],
        _drawn_at_random(path),
    )


def jobs(systems: tuple[str, ...], sizes: tuple[str, ...], seeds: int, teacher: str = "") -> Iterator[Job]:
    """Yield every cell that makes sense: without labels only ours has something to learn from, the same for each seed.

    What learns a teacher's answers needs the bundle of one.
    """
    for system in systems:
        if system == "ours_taught" and not teacher:
            continue
        for size in sizes:
            sizes_of = FEW_SIZES if system in SLOW else SIZES[1:]
            if size not in (("0", *sizes_of) if system in WITHOUT_LABELS else sizes_of):
                continue
            for seed in range(1, 2 if size == "0" else seeds + 1):
                archive = str(real_data() / "unlabelled.jsonl")
                yield Job(system, size, seed, load_taxonomy().labels, archive, teacher)


def drawn(rows: list[dict], size: str, seed: int) -> list[dict]:
    """Return `size` rows a label, `none` included, drawn by the seed; `all` are all."""
    if size == "all":
        return rows
    order = sorted(rows, key=lambda row: row["id"])
    random.Random(seed).shuffle(order)
    return [row for label in (*load_taxonomy().labels, NONE)
            for row in [one for one in order if one["label"] == label][: int(size)]]  # fmt: skip


def run_cell(job: Job, split: Split, python: Path) -> dict:
    """Return a cell's figures, computed at most once for the same code, data and configuration."""
    if (kept := kept_cell(job, split)) is not None:
        return kept
    train, path = drawn(split.train, job.size, job.seed), _path(job, split)
    path.parent.mkdir(parents=True, exist_ok=True)
    figures = _in_process(job, train, split.test, python)
    if "skipped" not in figures:
        waiting = path.with_suffix(".tmp")
        waiting.write_text(json.dumps(asdict(job) | figures), encoding="utf-8")
        waiting.replace(path)
    return figures


def kept_cell(job: Job, split: Split) -> dict | None:
    """Return the figures of a cell that was computed before, or None."""
    path = _path(job, split)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _path(job: Job, split: Split) -> Path:
    name = _digest(job, drawn(split.train, job.size, job.seed), split.test)
    return var_dir() / "benchmarks" / "quality" / f"{name}.json"


def _in_process(job: Job, train: list[dict], test: list[dict], python: Path) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder) / "job.json", Path(folder) / "out.json"
        hidden = [{key: row[key] for key in ("text", "raw")} for row in test]  # no system sees what it is scored on
        job_given = {"job": asdict(job), "module": _module(job), "train": train, "test": hidden}
        given.write_text(json.dumps(job_given), encoding="utf-8")
        environment = {**os.environ, "PYTHONPATH": str(PROJECT), "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}
        command = [str(python), "-m", "benchmarks.quality.cell", str(given), str(out)]
        done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)
        if done.returncode:
            return {"skipped": (done.stderr.strip().splitlines() or ["no reason given"])[-1]}
        return json.loads(out.read_text(encoding="utf-8"))


def python_for(job: Job) -> Path:
    """Return the interpreter: the peers' own environment for those that need it, where it was made."""
    peers = var_dir() / "benchmarks" / "peers" / "bin" / "python"
    return peers if job.system in APART and peers.exists() else Path(sys.executable)


def _module(job: Job) -> str:
    return "ours" if job.system in OURS else job.system


def _digest(job: Job, train: list[dict], test: list[dict]) -> str:
    of_job = {
        name: value for name, value in asdict(job).items() if name not in {"archive", "teacher"}
    }  # their content counts, not their place
    whole = hashlib.sha256(json.dumps([of_job, train, test], sort_keys=True).encode())
    here = Path(__file__).parent
    files = [here / f"{name}.py" for name in (_module(job), "base", "cell", "linear", "rows")]
    files += [here.parent / "requirements.txt" if job.system in APART else PROJECT / "requirements.lock"]
    files += [Path(job.archive)] if job.system in {"ours_archive", "ours_taught"} else []
    files += [Path(job.teacher) / MANIFEST] if job.system == "ours_taught" else []
    if job.system in OURS:
        for name in _OWN_CODE:
            path = PROJECT / name
            inside = (one for one in path.rglob("*") if one.suffix in {".py", ".yaml", ".jsonl", ".parquet"})
            files += [path] if path.is_file() else sorted(inside)
    for path in files:
        whole.update(path.read_bytes())
    return whole.hexdigest()[:24]


def _drawn_at_random(path: Path) -> frozenset[str]:
    fields = [row.fields for row in read_rows(path)]
    return frozenset(to_message(one).id for one in fields if one.get("stratum") == "random")


def _read(path: Path) -> list[dict]:
    return [
        {"id": row.message.id, "raw": row.message.text, "text": clean(row.message.text), "label": row.label,
         "second": list(row.second)}
        for row in read_labelled(str(path), read_rows(path), load_taxonomy())
    ]  # fmt: skip
