"""Who may call: API keys by their hashes, each with a name, scopes and a rate; without keys, this machine only."""

import hashlib
import hmac
import ipaddress
import secrets
from pathlib import Path
from time import monotonic
from typing import Literal

from pydantic import Field
from starlette.requests import Request

from configs.errors import SwitchboardError
from configs.loading import Config, load_config
from serving.errors import ApiError

ScopeName = Literal["classify", "feedback", "admin"]
OPEN = ""  # the scope of what anybody may read: health and the API's description
LOCAL = "local"
PREFIX = "sb_"


class Key(Config):
    """One caller: the SHA-256 of its key, and what it may do."""

    name: str = Field(min_length=1, max_length=64, pattern=r"^[\w.-]+$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    scopes: tuple[ScopeName, ...] = ("classify", "feedback")
    calls_per_minute: int | None = Field(default=None, ge=1)


class KeyFile(Config):
    """The callers of one service."""

    keys: tuple[Key, ...] = Field(min_length=1)


class Bucket:
    """A rate: as many calls at once as a minute allows, refilled evenly."""

    def __init__(self, per_minute: int) -> None:
        self._capacity = float(per_minute)
        self._left = self._capacity
        self._at = monotonic()

    def take(self) -> float:
        """Take one call and return 0, or return the seconds until one is free."""
        now = monotonic()
        self._left = min(self._capacity, self._left + (now - self._at) * self._capacity / 60)
        self._at = now
        if self._left < 1:
            return (1 - self._left) * 60 / self._capacity
        self._left -= 1
        return 0.0


class Keys:
    """The keys of a service; with none, only callers on this machine are answered."""

    def __init__(self, keys: tuple[Key, ...] = (), calls_per_minute: int = 60_000) -> None:
        self._keys = keys
        self._buckets = {key.name: Bucket(key.calls_per_minute or calls_per_minute) for key in keys}

    def __bool__(self) -> bool:
        return bool(self._keys)

    def authorise(self, request: Request, scope: str) -> str:
        """Return the caller's name, or refuse: unknown key, missing scope, or too many calls."""
        if scope == OPEN:
            return ""
        if not self._keys:
            return _local_caller(request)
        key = self._find(request.headers.get("authorization", ""), request.headers.get("x-api-key", ""))
        if scope not in key.scopes and "admin" not in key.scopes:
            raise ApiError("unauthorized", f"key {key.name!r} lacks the scope {scope!r}", {"scopes": list(key.scopes)})
        if wait := self._buckets[key.name].take():
            seconds = int(wait) + 1
            raise ApiError(
                "overloaded", f"key {key.name!r} calls too often; try again in {seconds} s", {"retry_after_s": seconds},
                {"Retry-After": str(seconds)},
            )  # fmt: skip
        return key.name

    def _find(self, authorization: str, given: str) -> Key:
        scheme, _, bearer = authorization.partition(" ")
        secret = given or (bearer.strip() if scheme.lower() == "bearer" else "")
        digest = hash_key(secret)
        found = [key for key in self._keys if hmac.compare_digest(key.sha256, digest)]  # all are compared
        if not secret or not found:
            raise ApiError(
                "unauthorized",
                "no valid API key; send Authorization: Bearer <key>",
                headers={"WWW-Authenticate": "Bearer", "Connection": "close"},
            )
        return found[0]


def load_keys(path: Path | None, calls_per_minute: int) -> Keys:
    """Return the keys of a file, or none."""
    if path is None:
        return Keys()
    keys = load_config(KeyFile, path).keys
    names = [key.name for key in keys]
    if len(set(names)) != len(names):
        raise SwitchboardError(f"{path}: a key's name stands twice; give each caller its own")
    return Keys(keys, calls_per_minute)


def hash_key(secret: str) -> str:
    """Return the hash that is stored of a key; keys are long and random, so a fast hash is enough."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def new_key() -> str:
    """Return a new random key; it is shown once and never stored."""
    return PREFIX + secrets.token_urlsafe(32)


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_binding(host: str, keys: Keys) -> None:
    """Refuse to be reached from other machines without keys."""
    if not keys and not is_loopback(host):
        raise SwitchboardError(
            f"refusing to listen on {host} without API keys; make one with `switchboard key NAME`, "
            "name its file as keys_file, or listen on 127.0.0.1"
        )


def _local_caller(request: Request) -> str:
    if request.client is not None and not is_loopback(request.client.host):
        raise ApiError("unauthorized", "this service has no API keys, so it answers its own machine only")
    return LOCAL
