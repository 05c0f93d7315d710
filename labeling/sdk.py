"""Label Studio's SDK as we use it: who we are, typed calls, and its own HTTP client for what those do not reach.

Knows nothing about patience or error lines, and reaches into the SDK's private parts so that nothing else has to.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from label_studio_sdk.client import LabelStudio
    from label_studio_sdk.core.request_options import RequestOptions

CALL_SECONDS = 60.0
# A page of tasks takes seconds, on a starved server minutes; giving up and asking again would add to its load.
PAGE_SECONDS = 600.0
PATIENT: "RequestOptions" = {"timeout_in_seconds": int(PAGE_SECONDS)}


def build(url: str, key: str) -> "LabelStudio":
    """Return the SDK's client, which never repeats a call: its own retries would do an unanswered import again."""
    from label_studio_sdk.client import LabelStudio  # takes seconds

    # Without the slash, an access token is asked for beside a path in the address, not below it.
    return LabelStudio(base_url=f"{url}/", api_key=key, timeout=CALL_SECONDS, max_retries=0, follow_redirects=False)


def sign_in(sdk: "LabelStudio") -> bool:
    """Have an access token bought where the key is a personal one, and return whether we hold one from before."""
    tokens = sdk._client_wrapper._tokens_client
    held = tokens._access_token
    sdk._client_wrapper.get_headers()
    return held is not None and tokens._access_token == held


def sign_out(sdk: "LabelStudio") -> None:
    """Forget the access token: the SDK trusts its printed age, but the server may refuse it earlier."""
    sdk._client_wrapper._tokens_client._access_token = None


def request(
    sdk: "LabelStudio", method: str, path: str, params: Mapping[str, Any] | None = None, body: Any = None
) -> Any:
    """Return the answer, as plain JSON, to a call by its path, e.g. for the invitation, which the SDK cannot read."""
    from label_studio_sdk.core.api_error import ApiError

    options = PATIENT if method == "POST" else None
    answer = sdk._client_wrapper.httpx_client.request(
        path, method=method, params=dict(params or {}), json=body, request_options=options
    )
    try:
        said = answer.json() if answer.content else None
    except json.JSONDecodeError:
        raise ApiError(status_code=answer.status_code, headers=dict(answer.headers), body=answer.text) from None
    if not answer.is_success:
        raise ApiError(status_code=answer.status_code, headers=dict(answer.headers), body=said)
    return said


def close(sdk: "LabelStudio") -> None:
    """Give the connections back; the SDK has no way to."""
    sdk._client_wrapper.httpx_client.httpx_client.close()
