"""Calls to a Label Studio server: patience with a bad moment, and one clear line when it is over."""

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from configs.errors import SwitchboardError
from labeling.sdk import build, close, request, sign_in, sign_out
from labeling.server import read_account, running_url, state_dir

if TYPE_CHECKING:
    from label_studio_sdk.client import LabelStudio
    from label_studio_sdk.core.api_error import ApiError

T = TypeVar("T")
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

    >>> client = Client("http://localhost:8080", "key")  # doctest: +SKIP
    >>> client.ask("the list of users", lambda sdk: sdk.users.list())  # doctest: +SKIP
    """

    def __init__(self, url: str, key: str, patience_s: float = 120.0) -> None:
        self.url = url.rstrip("/")
        self._key = key
        self._patience_s = patience_s
        self._sdk: LabelStudio | None = None

    def ask(self, what: str, call: Callable[["LabelStudio"], T]) -> T:
        """Return what a call that may be repeated says; `what` names it in an error."""
        return self._call(what, call, creates=False)

    def make(self, what: str, call: Callable[["LabelStudio"], T]) -> T:
        """Return what a call that creates says; repeated only where the server cannot have begun, else `UncertainError`."""
        return self._call(what, call, creates=True)

    def remove(self, what: str, call: Callable[["LabelStudio"], object]) -> None:
        """Make a call that deletes; what is gone already counts as deleted."""
        with suppress(NotFoundError):
            self.ask(what, call)

    def get(self, path: str, **params: Any) -> Any:
        """Return the plain answer to a GET."""
        return self.ask(f"GET {path}", lambda sdk: request(sdk, "GET", path, params))

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """Return the plain answer to a PATCH; repeating one changes nothing more."""
        return self.ask(f"PATCH {path}", lambda sdk: request(sdk, "PATCH", path, body=body))

    def delete(self, path: str) -> None:
        """Delete what stands at `path`."""
        self.remove(f"DELETE {path}", lambda sdk: request(sdk, "DELETE", path))

    def create(self, path: str, body: Any, **params: Any) -> Any:
        """Return the plain answer to a POST."""
        return self.make(f"POST {path}", lambda sdk: request(sdk, "POST", path, params, body))

    def close(self) -> None:
        """Give the connections back."""
        if self._sdk is not None:
            close(self._sdk)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(self, what: str, call: Callable[["LabelStudio"], T], *, creates: bool) -> T:
        sdk = self._built()
        retrying = Retrying(
            retry=retry_if_exception_type(_BadMomentError),
            stop=stop_after_delay(self._patience_s),
            wait=_pause,
            reraise=True,
        )
        try:
            return retrying(self._once, sdk, what, call, creates)
        except _BadMomentError as error:
            raise LabelStudioError(
                f"Label Studio at {self.url}: {error} for {self._patience_s:.0f} s; nothing is lost, run this again "
                "when it answers (`switchboard label up` starts our own server)"
            ) from None

    def _built(self) -> "LabelStudio":
        if self._sdk is None:
            from label_studio_sdk.core.api_error import ApiError

            try:
                self._sdk = build(self.url, self._key)
            except ApiError as error:  # a personal token that says itself that it has expired
                raise self._refused(error) from None
        return self._sdk

    def _once(self, sdk: "LabelStudio", what: str, call: Callable[["LabelStudio"], T], creates: bool) -> T:
        from label_studio_sdk.core.api_error import ApiError

        held = self._sign_in(sdk)
        try:
            return call(sdk)
        except ApiError as error:
            if error.status_code == 401 and held:
                sign_out(sdk)  # an access token lives five minutes; the next try asks for another
                raise _BadMomentError("the access token has expired") from None
            raise self._meaning(what, error, creates) from None
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise _BadMomentError(f"no answer ({_shortly(error)})") from None
        except httpx.UnsupportedProtocol:
            raise LabelStudioError(f"{self.url!r} is no address; write http://host:port") from None
        except httpx.TransportError as error:
            raise self._broken_off(_shortly(error), creates) from None

    def _sign_in(self, sdk: "LabelStudio") -> bool:
        from label_studio_sdk.core.api_error import ApiError

        try:
            return sign_in(sdk)
        except ApiError as error:
            status = error.status_code or 0
            if status >= 500 or status == 429:
                raise _BadMomentError(f"HTTP {status}", _retry_after(error)) from None
            raise self._refused(error) from None
        except httpx.UnsupportedProtocol:
            raise LabelStudioError(f"{self.url!r} is no address; write http://host:port") from None
        except (httpx.TransportError, json.JSONDecodeError) as error:  # the SDK reads a proxy's error page as JSON
            raise _BadMomentError(f"no answer ({_shortly(error)})") from None

    def _meaning(self, what: str, error: "ApiError", creates: bool) -> Exception:
        status = error.status_code or 0
        if status in {401, 403}:
            return self._refused(error)
        if status == 429 or (status in _BUSY and not creates):
            return _BadMomentError(f"HTTP {status}", _retry_after(error))
        if status >= 500:
            return self._broken_off(f"HTTP {status}: {_detail(error)}", creates)
        if status == 404:
            return NotFoundError(f"Label Studio at {self.url} does not find (any more) {what}: {_detail(error)}")
        if status >= 400:
            return LabelStudioError(f"Label Studio refuses {what} (HTTP {status}): {_detail(error)}")
        return LabelStudioError(f"{self.url} does not answer like a Label Studio; check LABEL_STUDIO_URL")

    def _broken_off(self, reason: str, creates: bool) -> Exception:
        if creates:
            return UncertainError(f"Label Studio at {self.url} broke off ({reason}); run this again, it continues")
        return _BadMomentError(reason)

    def _refused(self, error: "ApiError") -> LabelStudioError:
        return LabelStudioError(
            f"Label Studio at {self.url} refuses the key ({_detail(error)}); make a new one under Account & Settings, "
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


def _retry_after(error: "ApiError") -> float:
    text = httpx.Headers(error.headers or {}).get("Retry-After", "")
    return min(float(text), 60.0) if text.isdigit() else 0.0


def _detail(error: "ApiError") -> str:
    said = error.body
    if isinstance(said, str):
        return said[:200] or "no reason given"
    if not isinstance(said, dict):
        return str(said)[:300]
    return str(said.get("validation_errors") or said.get("detail") or said)[:300]


def _shortly(error: Exception) -> str:
    return str(error).strip() or type(error).__name__
