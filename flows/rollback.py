"""One step back: the champion before this one again, from what is published; the registry is asked where that is lost."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from configs.errors import SwitchboardError
from configs.paths import published_dir
from flows.locate import open_registry
from training.bundle import BundleError, verify
from training.publish import (
    AuditEntry,
    Champion,
    pointer_damage,
    previous_champion,
    publish,
    published_bundle,
)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RolledBack:
    """The champion again, and the gate's checks of it, as JSON, where the registry knows them."""

    champion: Champion
    gate: str


def roll_back(say: Say, reason: str = "") -> RolledBack:
    """Publish the previous champion, which its digest names, then move the registry's alias if that can be done."""
    published = published_dir()
    entry = previous_champion(published)
    bundle = published_bundle(entry, published) or _from_registry(entry)
    if damage := pointer_damage(published):
        say(f"{damage} and is written anew; what it named is known from the audit trail")
    champion = publish(bundle, entry.version, published, action="rollback", reason=reason, verdict=entry.verdict)
    say(f"version {champion.version} is the champion again ({champion.folder})")
    return RolledBack(champion, _told_to_registry(champion, say))


def _from_registry(entry: AuditEntry) -> Path:
    """Return the registry's bundle of an entry, or say that neither place has it."""
    try:
        registry = open_registry()
        bundle = registry.fetch(registry.with_digest(entry.digest))
        if verify(bundle) != entry.digest:
            raise BundleError(f"{bundle}: is another bundle than the one that was champion")
    except SwitchboardError as error:
        raise SwitchboardError(
            f"version {entry.version} ({entry.digest[:12]}) cannot be gone back to: its published folder is gone or "
            f"damaged, and {error}; promote another with `switchboard promote VERSION`"
        ) from None
    return bundle


def _told_to_registry(champion: Champion, say: Say) -> str:
    """Move the registry's alias to the champion, or say why not; return the gate's checks of it, if they are known."""
    try:
        registry = open_registry()
        from flows.judging import GATE_FILE  # loads MLflow, as the registry did
        from training.registry import CHAMPION

        version = registry.with_digest(champion.digest)
        registry.point(CHAMPION, version.version)
    except SwitchboardError as error:
        say(f"the registry's alias 'champion' was not moved: {error}")
        return ""
    return registry.text(version, GATE_FILE)
