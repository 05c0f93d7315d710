"""The service under load beside the bare predictor and other servers: one run, everything started here, ratios.

    python benchmarks/serving.py --install          LitServe, once, in a folder of its own
    python benchmarks/serving.py BUNDLE [--texts FILE.jsonl] [--seconds 3] [--rounds 3] [--systems ours,fastapi]

Rounds go through all systems in turn, so that a busy machine is busy for all; figures are medians over rounds.
`in process` is the same decider without a server, given as many messages at once as the clients have in flight.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.load import Load, bodies, drive
from benchmarks.rivals import BUNDLE, decide, make_decider
from configs.paths import var_dir
from data.corpus import read_corpus
from data.readers import read_rows
from training.publish import publish

LOADS = ((1, 1), (8, 1), (32, 1), (128, 1), (2, 64))
SYSTEMS = ("ours", "fastapi", "litserve", "batchable")


def main() -> None:
    """Run every system at every load and print a table of throughput and latency."""
    arguments = parse()
    if arguments.install:
        install()
        return
    texts = load_texts(arguments.texts)
    os.environ[BUNDLE] = str(arguments.bundle.resolve())
    found: dict[tuple[str, tuple[int, int]], list[Load]] = {}
    with ExitStack() as stack:
        var = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ports = {name: stack.enter_context(started(name, arguments.bundle, var))[0] for name in arguments.systems}
        decider = make_decider()
        for number in range(arguments.rounds):
            for load in LOADS:
                say(f"round {number + 1}: {load[0]} clients, {load[1]} messages a call")
                found.setdefault(("in process", load), []).append(in_process(decider, texts, load, arguments.seconds))
                for name, port in ports.items():
                    calls = bodies(
                        texts[1000 * number :], "/classify", "messages" if name == "ours" else "texts", load[1]
                    )
                    result = drive(port, calls, load[0], load[1], arguments.seconds)
                    found.setdefault((name, load), []).append(result)
    print_table(found, ["in process", *ports])


def parse() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, nargs="?")
    parser.add_argument("--texts", type=Path, help="JSONL with real messages; the seed corpus if left out")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--systems", type=lambda text: text.split(","), default=list(SYSTEMS))
    parser.add_argument("--install", action="store_true", help="install the servers that are not ours and stop")
    found = parser.parse_args()
    if found.bundle is None and not found.install:
        parser.error("name a bundle")
    return found


def install() -> None:
    """Install the other servers beside our environment, not into it."""
    wanted = ROOT / "benchmarks" / "servers.txt"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(servers())]
    subprocess.run([*command, "-r", str(wanted)], check=True)


def servers() -> Path:
    """Return the folder of the servers that are not ours."""
    return var_dir() / "benchmarks" / "servers"


def load_texts(path: Path | None) -> list[str]:
    """Return the messages to send."""
    if path is None:
        return [row.text for row in read_corpus()]
    return [row.fields["text"] for row, _ in zip(read_rows(path), range(20_000), strict=False) if "text" in row.fields]


def in_process(decider, texts: list[str], load: tuple[int, int], seconds: float) -> Load:  # noqa: ANN001
    """Return what the decider does alone with the same number of messages at once."""
    size, result, at = load[0] * load[1], Load(), 0
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        start = time.perf_counter()
        json.dumps(decide(decider, [texts[(at + n) % len(texts)] for n in range(size)]))
        result.latencies.append(time.perf_counter() - start)
        result.messages += size
        at += size
    result.seconds = time.perf_counter() - began
    return result


@contextmanager
def started(name: str, bundle: Path, var: Path) -> Iterator[tuple[int, int]]:
    """Yield port and process id of a system that is ready, in a process group of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    if name == "ours":
        publish(bundle, "1", var / "published")
        command = [sys.executable, "-m", "switchboard", "serve", "--port", str(port), "--set", "cache_entries=0"]
    else:
        command = [sys.executable, "benchmarks/rivals.py", name, str(port), str(bundle.resolve())]
    path = f"{ROOT}{os.pathsep}{servers()}"
    environment = {**os.environ, "SWITCHBOARD_VAR": str(var), "BENTOML_DO_NOT_TRACK": "True", "PYTHONPATH": path}
    log = (var / f"{name}.log").open("w")
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_until_ready(name, port, process, var)
        say(f"{name}: ready after {time.perf_counter() - began:.1f} s, {resident(process.pid)} MB")
        yield port, process.pid
        say(f"{name}: {resident(process.pid)} MB after the load")
    finally:
        with suppress(ProcessLookupError):  # it ended by itself, and the reason is on its way up
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def wait_until_ready(name: str, port: int, process: "subprocess.Popen[bytes]", var: Path) -> None:
    """Return when a first message was answered."""
    field = {"messages": [{"text": "ready?"}]} if name == "ours" else {"texts": ["ready?"]}
    call = urllib.request.Request(
        f"http://127.0.0.1:{port}/classify", json.dumps(field).encode(), {"Content-Type": "application/json"}
    )
    for _ in range(600):
        if process.poll() is not None:
            raise SystemExit(f"{name} ended: {(var / f'{name}.log').read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(call, timeout=10):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{name} was not ready in time: {(var / f'{name}.log').read_text()[-2000:]}")


def resident(pid: int) -> int:
    """Return the megabytes that a process holds, without its children."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) // 1024


def print_table(found: dict[tuple[str, tuple[int, int]], list[Load]], systems: list[str]) -> None:
    """Print a row a load and system: throughput, its share of in process, latencies and answers that were not 200."""
    print(
        "| clients x messages | system | messages/s | of in process | median ms | p99 ms | not 200 |\n|---|---|---|---|---|---|---|"
    )
    for load in LOADS:
        alone = found["in process", load]
        for name in systems:
            runs = found[name, load]
            share = median(run.per_second / one.per_second for run, one in zip(runs, alone, strict=True))
            bad = sum(count for run in runs for status, count in run.statuses.items() if status != 200)
            figures = [
                median(run.per_second for run in runs),
                share,
                *(1000 * median(run.quantile(q) for run in runs) for q in (0.5, 0.99)),
            ]
            print(
                f"| {load[0]} x {load[1]} | {name} | {figures[0]:.0f} | {figures[1]:.2f} | {figures[2]:.1f} | {figures[3]:.1f} | {bad} |"
            )


def say(line: str) -> None:
    """Print progress beside the table."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
