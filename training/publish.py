"""Publishing a bundle behind the champion's pointer file, and the audit of who was champion when.

The service reads the pointer and the folder beside it; it never asks MLflow. Every write is a rename.
"""

import fcntl
import getpass
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from configs.errors import SwitchboardError
from configs.loading import Config
from training.bundle import BundleError, bundle_digest, read_info, verify

POINTER, AUDIT, LOCK = "champion.json", "audit.jsonl", ".lock"


class Champion(Config):
    """The pointer file: which published folder is served, and where it came from."""

    folder: str
    digest: str
    version: str
    name: str
    published: str


class AuditEntry(Config):
    """One change of the champion: appended, never changed."""

    at: str
    action: str
    version: str
    digest: str
    previous: str | None
    by: str
    reason: str
    verdict: str = ""  # what the gate had said of it


def publish(
    bundle: Path, version: str, published: Path, action: str = "promote", by: str = "", reason: str = "",
    verdict: str = "",
) -> Champion:  # fmt: skip
    """Verify a bundle, copy it beside the pointer, append the audit entry and switch the pointer atomically.

    A pointer that is damaged or gone is written anew: what it named is known from the audit trail, which says so.
    """
    digest = verify(bundle)
    name = read_info(bundle).name
    published.mkdir(parents=True, exist_ok=True)
    with _locked(published):
        damage, previous = pointer_damage(published), last_champion(published)
        folder = _unpack(bundle, published, _folder_name(version, digest))
        champion = Champion(folder=folder.name, digest=digest, version=version, name=name, published=_now())
        entry = AuditEntry(
            at=champion.published, action=action, version=version, digest=digest,
            previous=previous.version if previous else None, by=by or _person(),
            reason="; ".join(filter(None, [reason, damage])), verdict=verdict,
        )  # fmt: skip
        _append(published / AUDIT, entry.model_dump_json())
        _replace(published / POINTER, champion.model_dump_json(indent=1) + "\n")
    return champion


def _person() -> str:
    """Return who runs this process: SWITCHBOARD_USER, else the account's name, as far as there is one."""
    try:
        return os.environ.get("SWITCHBOARD_USER") or getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return f"user {os.getuid()}"


def read_champion(published: Path) -> Champion | None:
    """Return what the pointer names, or None where nothing was ever promoted."""
    path = published / POINTER
    try:
        return Champion.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise SwitchboardError(
            f"{path}: not a champion pointer ({error.error_count()} faults); `switchboard promote` or `rollback` mends it"
        ) from None


def pointer_damage(published: Path) -> str:
    """Return what is wrong with the pointer, in words for the audit trail, or nothing; without any champion nothing is."""
    try:
        lost = read_champion(published) is None
    except SwitchboardError:
        return f"{POINTER} was damaged"
    return f"{POINTER} was missing" if lost and read_audit(published) else ""


def last_champion(published: Path) -> Champion | None:
    """Return what the pointer names, or, where it is damaged or gone, what the audit trail named last."""
    damage = pointer_damage(published)
    if not damage:
        return read_champion(published)
    last = next(reversed(read_audit(published)), None)
    if last is None:
        raise SwitchboardError(
            f"{published / POINTER}: damaged, and there is no audit trail to say what it named; move it away to begin anew"
        )
    folder = _folder_name(last.version, last.digest)
    return Champion(folder=folder, digest=last.digest, version=last.version, name="", published=last.at)


def champion_folder(published: Path) -> Path:
    """Return the published champion's folder, or say what to do when there is none."""
    champion = read_champion(published)
    if champion is None:
        raise SwitchboardError(f"no champion yet under {published}; run `make model` or `switchboard promote VERSION`")
    return published / champion.folder


def read_audit(published: Path) -> list[AuditEntry]:
    """Return every change of the champion, oldest first."""
    path = published / AUDIT
    if not path.exists():
        return []
    lines = path.read_bytes().splitlines()
    return [_entry(line, f"{path}, line {number}") for number, line in enumerate(lines, 1) if line]


def _entry(line: bytes, where: str) -> AuditEntry:
    try:
        return AuditEntry.model_validate_json(line)
    except ValidationError:
        raise SwitchboardError(f"{where}: no audit entry; mend that line by hand, and keep all the others") from None


def previous_champion(published: Path) -> AuditEntry:
    """Return the entry that made the champion before the present one; rolled-back ones are not gone back to.

    Digests tell models apart: a number may stand for two of them, where a registry was begun anew.
    """
    line: list[AuditEntry] = []
    for entry in read_audit(published):
        if entry.action == "rollback" and len(line) > 1:
            line.pop()
        if line and line[-1].digest == entry.digest:
            line.pop()
        line.append(entry)
    if len(line) < 2:
        raise SwitchboardError(f"nothing to roll back to under {published}; only one model was ever champion")
    return line[-2]


def published_bundle(entry: AuditEntry, published: Path) -> Path | None:
    """Return the folder that an entry published, or None where it is gone or damaged."""
    folder = published / _folder_name(entry.version, entry.digest)
    return folder if _is_whole(folder, entry.digest) else None


def _folder_name(version: str, digest: str) -> str:
    return f"v{version}-{digest[:12]}"


def _is_whole(folder: Path, digest: str) -> bool:
    try:
        return verify(folder) == digest
    except (BundleError, OSError):
        return False


def _unpack(bundle: Path, published: Path, name: str) -> Path:
    folder = published / name
    if _is_whole(folder, bundle_digest(bundle)):
        return folder
    waiting = Path(tempfile.mkdtemp(prefix=".incoming-", dir=published))
    try:
        shutil.copytree(bundle, waiting, dirs_exist_ok=True)
        verify(waiting)
        waiting.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        waiting.rename(folder)
    finally:
        shutil.rmtree(waiting, ignore_errors=True)
    return folder


@contextmanager
def _locked(published: Path) -> Iterator[None]:
    with (published / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _append(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def _replace(path: Path, text: str) -> None:
    waiting = path.with_suffix(".tmp")
    waiting.write_text(text, encoding="utf-8")
    with waiting.open("rb") as file:
        os.fsync(file.fileno())
    waiting.replace(path)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
