"""Quality against the peers: every system on the same rows, at growing numbers of labels, several seeds.

    python benchmarks/quality.py --install          the peers' own environment, once
    python benchmarks/quality.py --on dev           the whole grid on the yardstick (hours on two cores; resumes)
    python benchmarks/quality.py --on dev --done    table and plot of the cells that are there, computing none
    python benchmarks/quality.py --systems tfidf_lr,ours_real --sizes 8 --seeds 1      a small try on a fifth of train

Each cell is kept under var/benchmarks/quality by a digest of code, data and configuration, so a run that was stopped
goes on, and only what changed is done again. Speeds of cells done at different times are not comparable:
take them anew with an empty SWITCHBOARD_VAR. What is trained here is an experiment and is never registered.
"""

import argparse
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path[0] = str(PROJECT)  # the folder of this file would hide the standard library's names

from benchmarks.quality.grid import OURS, PEERS, SIZES, jobs, kept_cell, python_for, run_cell, split_rows
from benchmarks.quality.table import draw_plot, macro_f1, write_table
from configs.paths import var_dir


def main() -> None:
    """Run the cells that are asked for and write table and plot."""
    asked = _arguments()
    if asked.install:
        _install()
        return
    split = split_rows(asked.on)
    if asked.on == "dev" and not asked.done:
        _log_look(asked.systems)
    done = {}
    systems, sizes = (tuple(given.split(",")) for given in (asked.systems, asked.sizes))
    for job in jobs(systems, sizes, asked.seeds, str(asked.teacher.resolve()) if asked.teacher else ""):
        cell = kept_cell(job, split) if asked.done else run_cell(job, split, python_for(job))
        if cell is None:
            continue
        done[job] = cell
        said = (
            cell.get("skipped")
            or f"{macro_f1(cell, split, job.labels):.3f} macro-F1, {cell['fit_seconds']:.0f} s to fit"
        )
        print(f"{job.system:16} {job.size:>4} labels, seed {job.seed}: {said}", flush=True)
    asked.output.mkdir(parents=True, exist_ok=True)
    write_table(done, split, " ".join(["python benchmarks/quality.py", *sys.argv[1:]]), asked.output / "RESULTS.md")
    draw_plot(done, split, asked.output / "quality.png")
    print(f"table and plot in {asked.output}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", default=",".join([*PEERS, *OURS]))
    parser.add_argument("--sizes", default=",".join(SIZES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--on", choices=("fold", "dev"), default="fold", help="a fifth of train, or the yardstick")
    parser.add_argument(
        "--output", type=Path, default=var_dir() / "benchmarks", help="benchmarks/ to publish the table"
    )
    parser.add_argument("--teacher", type=Path, help="a stronger model's bundle, whose answers ours_taught learns")
    parser.add_argument("--done", action="store_true", help="only the cells that were computed before")
    parser.add_argument("--install", action="store_true", help="make the peers' environment and stop")
    return parser.parse_args()


def _install() -> None:
    folder = var_dir() / "benchmarks" / "peers"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    wanted = PROJECT / "benchmarks" / "requirements.txt"
    subprocess.run([str(folder / "bin" / "pip"), "install", "--quiet", "-r", str(wanted)], check=True)
    print(f"peers installed in {folder}")


def _log_look(systems: str) -> None:
    """Remember each look at the yardstick: the more looks, the less it says."""
    path = var_dir() / "benchmarks" / "looks.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds"), "systems": systems}) + "\n")


if __name__ == "__main__":
    main()
