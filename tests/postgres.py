"""A PostgreSQL of the tests' own: in a folder of its own, on a free port, gone afterwards."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def find_binaries() -> Path | None:
    """Return the folder of Debian's newest PostgreSQL, or that of `postgres` on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("postgres")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


@contextmanager
def running_server(binaries: Path) -> Iterator[str]:
    """Yield the URL of a server that lives as long as the block."""
    # Not under pytest's own folder, which each new run of pytest closes to other users: PostgreSQL refuses to be root.
    folder = Path(tempfile.mkdtemp(prefix="switchboard-pg-"))
    port = _free_port()
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
    base = folder / "base"
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    _run([binaries / "initdb", "-D", base, "-A", "trust", "-U", "switchboard", "-E", "UTF8", "--no-sync"])
    _run([binaries / "pg_ctl", "-D", base, "-l", folder / "log", "-o", options, "-w", "start"])
    try:
        yield f"postgresql://switchboard@127.0.0.1:{port}"
    finally:
        _run([binaries / "pg_ctl", "-D", base, "-m", "immediate", "-w", "stop"])
        shutil.rmtree(folder)


def _run(command: list[str | Path]) -> None:
    as_postgres = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    words = [*as_postgres, *map(str, command)]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/", check=False)
    assert done.returncode == 0, done.stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
