"""A PostgreSQL of the tests' own: in a folder of its own, on a free port, gone afterwards."""

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg


def find_binaries() -> Path | None:
    """Return the folder of Debian's newest PostgreSQL, or that of `postgres` on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("postgres")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


@dataclass(frozen=True)
class Server:
    """A server that may be taken away and given back."""

    binaries: Path
    folder: Path
    port: int

    @property
    def url(self) -> str:
        """Its address, without a database."""
        return f"postgresql://switchboard@127.0.0.1:{self.port}"

    @contextmanager
    def away(self) -> Iterator[None]:
        """Take it away at once, as a machine does that fails, and give it back after the block."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._control("-l", self.folder / "log", "-o", options, "-w", "start")

    def stop(self) -> None:
        """Stop without saying goodbye to anyone."""
        self._control("-m", "immediate", "-w", "stop")

    def create(self) -> str:
        """Return the URL of a new, empty database."""
        name = f"ledger_{uuid.uuid4().hex}"
        with psycopg.connect(f"{self.url}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"{self.url}/{name}"

    def _control(self, *options: str | Path) -> None:
        _run([self.binaries / "pg_ctl", "-D", self.folder / "base", *options])


@contextmanager
def running_server(binaries: Path) -> Iterator[Server]:
    """Yield a server that lives as long as the block."""
    # Not under pytest's own folder, which each new run of pytest closes to other users: PostgreSQL refuses to be root.
    folder = Path(tempfile.mkdtemp(prefix="switchboard-pg-"))
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
    _run([binaries / "initdb", "-D", folder / "base", "-A", "trust", "-U", "switchboard", "-E", "UTF8", "--no-sync"])
    server = Server(binaries, folder, _free_port())
    server.start()
    try:
        yield server
    finally:
        server.stop()
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
