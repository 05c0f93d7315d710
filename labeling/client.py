"""Calls to a Label Studio server: who we are, patience with a bad moment, and one clear line when it is over."""

import json
import os
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from configs.errors import SwitchboardError
from labeling.server import read_account, running_url, state_dir

CALL_SECONDS = 60.0
IMPORT_SECONDS = 600.0  # a thousand tasks with predictions take about two seconds on an idle server
_BUSY = {429, 502, 503, 504}


class LabelStudioError(SwitchboardError):
    """Label Studio refused, or is gone."""


class NotFoundError(LabelStudioError):
    """What was asked for is not there (any more)."""


class UncertainError(LabelStudioError):
    """A call that creates something broke off: it may or may not have happened, so ask before repeating it."""


class _BadMomentError(Exception):
    """A failure that waiting may mend."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class Client:
    """One server and one key; safe calls are repeated with growing pauses for up to `patience_s`.

    >>> Client("http://localhost:8080", "key").get("/api/projects")  # doctest: +SKIP
    """

    def __init__(self, url: str, key: str, patience_s: float = 120.0) -> None:
        self.url = url.rstrip("/")
        self._key = key
        self._patience_s = patience_s
        self._access = "" if _is_refresh_token(key) else key
        self._http = httpx.Client(base_url=self.url, timeout=CALL_SECONDS)

    def get(self, path: str, **params: Any) -> Any:
        """Return the answer to a GET."""
        return self._call("GET", path, params=params)

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """Return the answer to a PATCH; repeating one changes nothing more."""
        return self._call("PATCH", path, body=body)

    def delete(self, path: str) -> None:
        """Delete what stands at `path`; what is gone already counts as deleted."""
        try:
            self._call("DELETE", path)
        except NotFoundError:
            return

    def create(self, path: str, body: Any, **params: Any) -> Any:
        """Return the answer to a POST; repeated only where the server cannot have begun, else `UncertainError`."""
        return self._call("POST", path, params=params, body=body)

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(self, method: str, path: str, *, params: Mapping[str, Any] | None = None, body: Any = None) -> Any:
        retrying = Retrying(
            retry=retry_if_exception_type(_BadMomentError),
            stop=stop_after_delay(self._patience_s),
            wait=_pause,
            reraise=True,
        )
        try:
            return retrying(self._once, method, path, params, body)
        except _BadMomentError as error:
            raise LabelStudioError(
                f"Label Studio at {self.url}: {error} for {self._patience_s:.0f} s; nothing is lost, run this again "
                "when it answers (`switchboard label up` starts our own server)"
            ) from None

    def _once(self, method: str, path: str, params: Mapping[str, Any] | None, body: Any) -> Any:
        timeout = IMPORT_SECONDS if method == "POST" else CALL_SECONDS
        aged = bool(self._access)
        headers = self._authorization()
        try:
            answer = self._http.request(method, path, params=params, json=body, timeout=timeout, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise _BadMomentError(f"no answer ({_shortly(error)})") from None
        except httpx.UnsupportedProtocol:
            raise LabelStudioError(f"{self.url!r} is no address; write http://host:port") from None
        except httpx.TransportError as error:
            raise self._broken_off(method, _shortly(error)) from None
        if answer.status_code == 401 and aged and _is_refresh_token(self._key):
            self._access = ""  # an access token lives five minutes; the next try asks for another
            raise _BadMomentError("the access token has expired")
        return self._read(method, path, answer)

    def _read(self, method: str, path: str, answer: httpx.Response) -> Any:
        status = answer.status_code
        if status in {401, 403}:
            raise self._refused(answer)
        if status == 429 or (status in _BUSY and method != "POST"):
            raise _BadMomentError(f"HTTP {status}", _retry_after(answer))
        if status >= 500:
            raise self._broken_off(method, f"HTTP {status}: {_detail(answer)}")
        if status == 404:
            raise NotFoundError(f"Label Studio at {self.url} has no {path} (any more): {_detail(answer)}")
        if status >= 400:
            raise LabelStudioError(f"Label Studio refuses {method} {path} (HTTP {status}): {_detail(answer)}")
        try:
            return answer.json() if answer.content else None
        except json.JSONDecodeError:
            raise LabelStudioError(f"{self.url} does not answer like a Label Studio; check LABEL_STUDIO_URL") from None

    def _authorization(self) -> dict[str, str]:
        if not _is_refresh_token(self._key):
            return {"Authorization": f"Token {self._key}"}
        if not self._access:
            try:
                answer = self._http.post("/api/token/refresh/", json={"refresh": self._key})
            except httpx.TransportError as error:
                raise _BadMomentError(f"no answer ({_shortly(error)})") from None
            if answer.status_code >= 500 or answer.status_code == 429:
                raise _BadMomentError(f"HTTP {answer.status_code}", _retry_after(answer))
            if answer.status_code >= 400:
                raise self._refused(answer)
            self._access = answer.json()["access"]
        return {"Authorization": f"Bearer {self._access}"}

    def _broken_off(self, method: str, reason: str) -> Exception:
        if method == "POST":
            return UncertainError(f"Label Studio at {self.url} broke off ({reason}); run this again, it continues")
        return _BadMomentError(reason)

    def _refused(self, answer: httpx.Response) -> LabelStudioError:
        return LabelStudioError(
            f"Label Studio at {self.url} refuses the key ({_detail(answer)}); make a new one under Account & Settings, "
            "Access Token, and set LABEL_STUDIO_API_KEY"
        )


def connect(patience_s: float = 120.0) -> Client:
    """Return a client of LABEL_STUDIO_URL with LABEL_STUDIO_API_KEY, else of our own running server."""
    url, key = os.environ.get("LABEL_STUDIO_URL"), os.environ.get("LABEL_STUDIO_API_KEY")
    if url and key:
        return Client(url, key, patience_s)
    if url or key:
        missing = "LABEL_STUDIO_API_KEY" if url else "LABEL_STUDIO_URL"
        raise SwitchboardError(f"{missing} is not set; a server of your own needs both address and key")
    own = running_url()
    if own is None:
        raise SwitchboardError(
            "no Label Studio is running; start one with `switchboard label up`, or set LABEL_STUDIO_URL and "
            "LABEL_STUDIO_API_KEY"
        )
    return Client(own, read_account(state_dir()).token, patience_s)


def _pause(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait_s if isinstance(error, _BadMomentError) else 0.0
    return max(asked, wait_exponential_jitter(initial=0.2, max=15.0, jitter=0.2)(state))


def _retry_after(answer: httpx.Response) -> float:
    text = answer.headers.get("Retry-After", "")
    return min(float(text), 60.0) if text.isdigit() else 0.0


def _detail(answer: httpx.Response) -> str:
    try:
        values = answer.json()
    except json.JSONDecodeError:
        return answer.text[:200] or "no reason given"
    if not isinstance(values, dict):
        return str(values)[:300]
    return str(values.get("validation_errors") or values.get("detail") or values)[:300]


def _shortly(error: Exception) -> str:
    return str(error).strip() or type(error).__name__


def _is_refresh_token(key: str) -> bool:
    """Return whether a key is a personal access token (a JWT, which buys access tokens), not a legacy token."""
    parts = key.split(".")
    if len(parts) != 3:
        return False
    try:
        payload = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, UnicodeDecodeError):
        return False
    return isinstance(payload, dict) and payload.get("token_type") == "refresh"
