"""One cell, in a process of its own so that its peak memory is its own: a job's file in, figures out.

python -m benchmarks.quality.cell JOB.json OUT.json
"""

import importlib
import json
import resource
import sys
import time
from pathlib import Path

from benchmarks.quality.rows import Job, Rows


def main(job_file: Path, out_file: Path) -> None:
    """Fit, predict, and write labels, seconds and memory; a missing package is written as the reason to skip."""
    given = json.loads(job_file.read_text(encoding="utf-8"))
    job, test = Job(**given["job"]), given["test"]
    try:
        system = importlib.import_module(f"benchmarks.quality.{given['module']}")
        started = time.perf_counter()
        predict = system.fit(job, Rows(given["train"]))
        fitted = time.perf_counter()
    except ImportError as error:
        out_file.write_text(json.dumps({"skipped": f"{type(error).__name__}: {error}"}), encoding="utf-8")
        return
    found = predict([row["raw" if given["module"] == "ours" else "text"] for row in test])
    seconds = time.perf_counter() - fitted
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {"found": found, "fit_seconds": fitted - started, "peak_mb": peak, "per_second": len(test) / seconds}
    out_file.write_text(json.dumps(figures), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
