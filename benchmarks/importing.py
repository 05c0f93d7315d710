"""How fast, and in how much memory, `switchboard data import` takes many rows: python -m benchmarks.importing [ROWS]."""

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from configs.taxonomy import load_taxonomy

_WORDS = [
    "my",
    "parcel",
    "order",
    "refund",
    "signal",
    "app",
    "bill",
    "router",
    "broadband",
    "flight",
    "bag",
    "seat",
    "late",
    "again",
    "today",
    "still",
    "please",
    "thanks",
    "great",
    "worst",
    "never",
    "when",
    "why",
    "where",
    "how",
    "much",
    "is",
    "the",
    "a",
    "on",
    "for",
    "with",
    "your",
    "support",
    "agent",
    "driver",
    "store",
    "price",
    "plan",
    "upgrade",
    "card",
]


def main(rows: int) -> None:
    """Write a file of made-up messages with ids, import it twice, and print rates and peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "many.jsonl"
        _write(path, rows)
        print(f"{rows} rows, {path.stat().st_size / 1e6:.0f} MB")
        for name in ("first import", "same file again"):
            seconds = _import(path, Path(folder))
            print(f"{name}: {seconds:.0f} s, {rows / seconds:.0f} rows/s")
        print(f"peak memory of an import: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB")


def _write(path: Path, rows: int) -> None:
    rng, labels = random.Random(13), load_taxonomy().annotation_values
    with path.open("w") as file:
        for number in range(rows):
            row = {"id": f"crm-{number}", "text": " ".join(rng.choices(_WORDS, k=18)), "label": rng.choice(labels),
                   "author": f"user{rng.randrange(rows)}", "channel": "twitter"}  # fmt: skip
            file.write(json.dumps(row) + "\n")


def _import(path: Path, folder: Path) -> float:
    started = time.perf_counter()
    command = [sys.executable, "-m", "switchboard", "data", "import", str(path), "--json"]
    environment = os.environ | {"SWITCHBOARD_VAR": str(folder / "var")}
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
