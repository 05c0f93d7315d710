"""How fast, and in how much memory, many rows are imported, checked and made a snapshot of.

python -m benchmarks.importing [ROWS]
"""

import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from configs.taxonomy import load_taxonomy
from data.corpus import read_corpus

STEPS = {
    "import": ("data", "import", "many.jsonl"),
    "the same file again": ("data", "import", "many.jsonl"),
    "check": ("data", "check"),
    "snapshot": ("data", "snapshot"),
}


def main(rows: int) -> None:
    """Write a file of made-up messages with ids, run each command on it, and print rates and peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "many.jsonl"
        _write(path, rows)
        print(f"{rows} rows, {path.stat().st_size / 1e6:.0f} MB")
        seed = sum(1 for _ in read_corpus())
        for name, arguments in STEPS.items():
            seconds, peak, code = _run(arguments, Path(folder))
            of = rows if "import" in arguments else rows + seed  # which `check` adds to the ledger
            rate = f"{of} rows, {seconds:.0f} s, {of / seconds:.0f} a second"
            print(f"{name}: {rate}, peak {peak:.0f} MB, exit code {code}", flush=True)


def _write(path: Path, rows: int) -> None:
    """Write messages, each the first half of one of the corpus and the second half of another, and random labels."""
    rng, labels = random.Random(13), load_taxonomy().annotation_values
    texts = [row.text.split() for row in read_corpus()]
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            one, other = rng.choices(texts, k=2)
            text = " ".join([*one[: len(one) // 2], *other[len(other) // 2 :]])
            row = {"id": f"crm-{number}", "text": text, "label": rng.choice(labels),
                   "author": f"user{rng.randrange(rows)}", "channel": "twitter"}  # fmt: skip
            file.write(json.dumps(row) + "\n")


def _run(arguments: tuple[str, ...], folder: Path) -> tuple[float, float, int]:
    """Return the seconds, the peak of resident MB and the exit code of a command, run in `folder`."""
    environment = os.environ | {"SWITCHBOARD_VAR": str(folder / "var")}
    with (folder / "log").open("w") as log:
        began = perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "switchboard", *arguments], env=environment, cwd=folder, stdout=log, stderr=log
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return perf_counter() - began, used.ru_maxrss / 1024, process.returncode


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
