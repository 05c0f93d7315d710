"""A Label Studio server of our own: started, found again and stopped; secrets stay in files only we can read."""

import json
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx

from configs.errors import SwitchboardError
from configs.paths import var_dir

START_SECONDS = 600.0  # the first start migrates the database: 50 s on two idle cores, minutes on busy ones
STOP_SECONDS = 20.0

# No tracking, no update checks, no error reports; sign-up by invitation; Enter submits; our own webhook may be local.
_SETTINGS = {
    "LABEL_STUDIO_COLLECT_ANALYTICS": "false",
    "LABEL_STUDIO_LATEST_VERSION_CHECK": "false",
    "LABEL_STUDIO_SENTRY_DSN": "",
    "LABEL_STUDIO_FRONTEND_SENTRY_DSN": "",
    "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
    "LABEL_STUDIO_EDITOR_KEYMAP": '{"annotation:submit": {"key": "enter, ctrl+enter", "description": "Submit"}}',
    "LABEL_STUDIO_SSRF_PROTECTION_ENABLED": "false",
    "LABEL_STUDIO_LOG_LEVEL": "WARNING",
}


@dataclass(frozen=True, slots=True)
class Account:
    """The first user of our own server."""

    username: str
    password: str
    token: str


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers: its address and its first user."""

    url: str
    account: Account
    log: Path
    started: bool  # false: it was running already


def start(program: Path, port: int = 8080, folder: Path | None = None, host: str = "127.0.0.1") -> Server:
    """Return a server that answers at `port`, started in the background unless it runs already."""
    folder = folder or state_dir()
    folder.mkdir(parents=True, exist_ok=True)
    account, url, log = read_account(folder), f"http://localhost:{port}", folder / "server.log"
    state = _read_state(folder)
    if state and _is_alive(state["pid"]):
        if state["port"] != port:
            raise SwitchboardError(
                f"Label Studio runs already at port {state['port']}; `switchboard label down` stops it"
            )
        _wait(url, state["pid"], log)
        return Server(url, account, log, started=False)
    if _is_taken(port):
        raise SwitchboardError(f"port {port} is in use by another program; choose one with --port")
    _prefer_concurrent_reads(folder)
    with log.open("ab") as output:
        command = [str(program.absolute()), "start", "--no-browser", "--enable-legacy-api-token"]
        process = subprocess.Popen(
            [*command, "--internal-host", host, "--port", str(port)],
            env=os.environ | _SETTINGS | _database(folder) | _identity(account),
            stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd=folder, start_new_session=True,
        )  # fmt: skip
    _write_private(folder / "server.json", {"pid": process.pid, "port": port})
    _wait(url, process.pid, log)
    return Server(url, account, log, started=True)


def stop(folder: Path | None = None) -> bool:
    """Stop our own server and return whether it ran."""
    folder = folder or state_dir()
    state = _read_state(folder)
    if state is None or not _is_alive(state["pid"]):
        return False
    os.kill(state["pid"], signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while _is_alive(state["pid"]) and time.monotonic() < deadline:
        time.sleep(0.1)
    if _is_alive(state["pid"]):
        os.kill(state["pid"], signal.SIGKILL)
    (folder / "server.json").unlink(missing_ok=True)
    return True


def running_url(folder: Path | None = None) -> str | None:
    """Return our own server's address while its process lives."""
    state = _read_state(folder or state_dir())
    return f"http://localhost:{state['port']}" if state and _is_alive(state["pid"]) else None


def state_dir() -> Path:
    """Return where our own server keeps everything."""
    return var_dir() / "label-studio"


def read_account(folder: Path) -> Account:
    """Return the first user: from the environment, else kept in a private file, made at the first call."""
    path = folder / "account.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    account = Account(
        os.environ.get("LABEL_STUDIO_USERNAME") or kept.get("username") or "admin@switchboard.local",
        os.environ.get("LABEL_STUDIO_PASSWORD") or kept.get("password") or secrets.token_urlsafe(12),
        os.environ.get("LABEL_STUDIO_USER_TOKEN") or kept.get("token") or secrets.token_hex(20),
    )
    if asdict(account) != kept:
        _write_private(path, asdict(account))
    return account


def _write_private(path: Path, values: dict[str, object]) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(values, file)
    temporary.replace(path)


def _identity(account: Account) -> dict[str, str]:
    """Return the user by environment: on the command line every user of the machine could read it."""
    return {
        "LABEL_STUDIO_USERNAME": account.username,
        "LABEL_STUDIO_PASSWORD": account.password,
        "LABEL_STUDIO_USER_TOKEN": account.token,
    }


def _database(folder: Path) -> dict[str, str]:
    """Return Label Studio's database settings: LABEL_STUDIO_DATABASE_URL (PostgreSQL), else SQLite in `folder`."""
    address = os.environ.get("LABEL_STUDIO_DATABASE_URL")
    settings = {"LABEL_STUDIO_BASE_DATA_DIR": str(folder / "data")}
    if not address:
        return settings
    parts = urlsplit(address)
    try:
        port = str(parts.port or 5432)
    except ValueError:
        port = ""
    if not port or not parts.scheme.startswith("postgres") or not parts.hostname or len(parts.path) < 2:
        raise SwitchboardError("LABEL_STUDIO_DATABASE_URL: write postgresql://user:password@host:5432/database")
    return settings | {
        "DJANGO_DB": "default",
        "POSTGRE_HOST": parts.hostname,
        "POSTGRE_PORT": port,
        "POSTGRE_USER": unquote(parts.username or "postgres"),
        "POSTGRE_PASSWORD": unquote(parts.password or ""),
        "POSTGRE_NAME": parts.path[1:],
    }


def _prefer_concurrent_reads(folder: Path) -> None:
    """Put SQLite into its write-ahead mode, kept in the file: one labeler's saving no longer locks out the others."""
    path = folder / "data" / "label_studio.sqlite3"
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


def _wait(url: str, pid: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(httpx.HTTPError):
            if httpx.get(f"{url}/health", timeout=5).status_code == 200:
                return
        if not _is_alive(pid):
            break
        time.sleep(0.5)
    raise SwitchboardError(f"Label Studio did not start; the reason stands at the end of {log}")


def _read_state(folder: Path) -> dict[str, int] | None:
    path = folder / "server.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _is_alive(pid: int) -> bool:
    """Return whether the process lives and is a Label Studio; a number given away again does not count."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # a child of ours that ended is no longer alive
    try:
        os.kill(pid, 0)
        known = Path(f"/proc/{pid}/cmdline")
        return not known.exists() or b"label-studio" in known.read_bytes()
    except OSError:
        return False


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
