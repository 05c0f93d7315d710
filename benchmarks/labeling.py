"""How long many tasks take: push and pull as people run them, against a real Label Studio on SQLite.

    python -m benchmarks.labeling --tasks 100000 -o var/benchmarks/labeling

Starts a server of its own in OUT, fills a ledger with generated messages, and runs `switchboard label setup`, `push` and
`pull` as processes. The first push and the first pull are killed half-way (SIGKILL), the second ones go on, the third
ones find nothing to do; then tasks and label events are counted. Between push and pull every task gets an annotation at
a moment of its own, written straight into the server's database: by its API that alone would take hours. Prints minutes
and what the command and the server took: processor seconds, which a busy machine does not stretch, and peak memory.
"""

import argparse
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from configs.paths import PROJECT
from configs.taxonomy import load_taxonomy
from data.ledger import Decision, Selection, open_ledger
from data.messages import Message
from labeling.install import ensure_installed, environment_dir
from labeling.server import Server, start, stop

TAXONOMY = load_taxonomy()
AT = datetime(2026, 1, 1, tzinfo=UTC)
_PART = 5000
_WORDS = (
    "my the a parcel order refund signal app bill router broadband flight bag seat late again today still please thanks "
    "great worst never when why where how much is on for with your support agent driver store price plan upgrade card"
).split()


@dataclass(frozen=True, slots=True)
class Step:
    """One command as it ran: how long, processor time and peak memory, its own and the server's, and what it said."""

    command: str
    killed: bool
    minutes: float
    cpu_s: float
    peak_mb: float
    server_cpu_s: float
    server_peak_mb: float
    said: dict


def main() -> None:
    """Run everything and print each step as it ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("-o", "--output", type=Path, default=Path("var/benchmarks/labeling"))
    options = parser.parse_args()
    folder = options.output.resolve()
    if (folder / "ledger.db").exists():
        sys.exit(f"{folder} holds an earlier run; remove it or name another folder with -o")
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["SWITCHBOARD_VAR"] = str(folder)
    _fill_ledger(options.tasks)
    server = start(ensure_installed(environment_dir()), _free_port(), folder / "label-studio")
    try:
        steps = list(_run_all(server, folder, options.tasks))
    finally:
        stop(folder / "label-studio")
    (folder / "steps.json").write_text(json.dumps([asdict(step) for step in steps], indent=1), encoding="utf-8")


def _run_all(server: Server, folder: Path, tasks: int) -> Iterator[Step]:
    database = folder / "label-studio" / "data" / "label_studio.sqlite3"
    ledger = folder / "ledger.db"
    yield _run("setup", server, folder)
    yield _run("push", server, folder, lambda: _count(database, "task") >= tasks / 2)
    yield _run("push", server, folder)
    yield _run("push", server, folder)
    there = _count(database, "task"), _count(database, "task", "DISTINCT json_extract(data, '$.message_id')")
    assert there == (tasks, tasks), f"{there[0]} tasks of {there[1]} messages"
    _annotate(database)
    yield _run("pull", server, folder, lambda: _count(ledger, "label_events") >= tasks / 2)
    yield _run("pull", server, folder)
    yield _run("pull", server, folder)
    labels = _count(ledger, "label_events"), _count(ledger, "label_events", "DISTINCT message_id")
    assert labels == (tasks, tasks), f"{labels[0]} labels of {labels[1]} messages"
    print(f"{tasks} tasks of as many messages, {tasks} labels of as many messages: none lost, none twice")


def _run(command: str, server: Server, folder: Path, enough: Callable[[], bool] | None = None) -> Step:
    """Run a command to its end, or kill it as soon as it has done enough."""
    pid = json.loads((folder / "label-studio" / "server.json").read_text(encoding="utf-8"))["pid"]
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="utf-8")  # its peak counts from here
    environment = os.environ | {"LABEL_STUDIO_URL": server.url, "LABEL_STUDIO_API_KEY": server.account.token}
    began, server_before = time.monotonic(), _cpu_s(pid)
    process = subprocess.Popen(
        [sys.executable, "-m", "switchboard", "label", command, "--json"], cwd=PROJECT, env=environment, text=True,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    while enough and not enough():
        if process.poll() is not None:
            sys.exit(f"switchboard label {command} ended before half was done; try more tasks")
        time.sleep(0.2)
    if enough:
        process.send_signal(signal.SIGKILL)
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    minutes = (time.monotonic() - began) / 60
    if process.returncode != (-signal.SIGKILL if enough else 0):
        sys.exit(f"switchboard label {command} ended with {process.returncode} after {minutes:.1f} minutes")
    step = Step(
        command, bool(enough), minutes, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024,
        _cpu_s(pid) - server_before, _peak_mb(pid), json.loads(said or "{}"),
    )  # fmt: skip
    print(f"{step.command:6s} {step.minutes:6.1f} min; took {step.cpu_s:.0f} s of a core, {step.peak_mb:.0f} MB; server "
          f"{step.server_cpu_s:.0f} s, {step.server_peak_mb:.0f} MB; {'killed' if step.killed else step.said}", flush=True)  # fmt: skip
    return step


def _count(database: Path, table: str, what: str = "*") -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=60)) as connection:
        return int(connection.execute(f"SELECT count({what}) FROM {table}").fetchone()[0])


def _fill_ledger(count: int) -> None:
    """Choose `count` generated messages, every fifth blind, each decided before."""
    draw = random.Random(1)
    with open_ledger() as ledger:
        for begin in range(0, count, _PART):
            ids = [f"m-{number:06d}" for number in range(begin, min(begin + _PART, count))]
            with ledger.writing():
                ledger.messages.add(Message(_text(draw), key, "twitter", f"@{key}", AT) for key in ids)
                ledger.decisions.append(_decide(key, draw) for key in ids)
                ledger.selections.append(
                    Selection(message_id=key, batch="b-1", strategy="coverage", blind=place % 5 == 0, at=AT)
                    for place, key in enumerate(ids)
                )


def _text(draw: random.Random) -> str:
    return " ".join(draw.choices(_WORDS, k=draw.randint(6, 40)))


def _decide(key: str, draw: random.Random) -> Decision:
    label, sure = draw.choice(TAXONOMY.labels), round(draw.uniform(0.3, 1.0), 3)
    return Decision(
        id=f"d-{key}", message_id=key, at=AT, label=label, confidence=sure, scores={label: sure}, outcome="auto",
        model_version="v1", taxonomy_version=TAXONOMY.version,
    )  # fmt: skip


def _annotate(database: Path) -> None:
    """Give each task an annotation, as its first user's, some time of the last day, in the server's own tables."""
    chosen = {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": ["request"]}}
    with closing(sqlite3.connect(database, timeout=60)) as connection, connection:
        moment = "strftime('%Y-%m-%d %H:%M:%f000', 'now', '-' || abs(random() % 86400) || ' seconds')"
        connection.execute(f"UPDATE task SET is_labeled = 1, total_annotations = 1, updated_at = {moment}")
        names = [row[1] for row in connection.execute("PRAGMA table_info(task_completion)")]
        values = {name: "NULL" for name in names if name != "id"} | {
            "result": "?", "was_cancelled": "0", "ground_truth": "0", "created_at": "updated_at", "lead_time": "4.5",
            "updated_at": "updated_at", "task_id": "id", "project_id": "project_id", "completed_by_id": "1",
            "unique_id": "lower(hex(randomblob(16)))", "result_count": "1", "draft_created_at": "NULL",
            "bulk_created": "0",
        }  # fmt: skip
        values = {name: value for name, value in values.items() if name in names}
        connection.execute(
            f"INSERT INTO task_completion ({', '.join(values)}) SELECT {', '.join(values.values())} FROM task",
            [json.dumps([chosen])],
        )


def _peak_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    main()
