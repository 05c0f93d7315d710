"""The closed list of errors that the API answers."""

from collections.abc import Mapping
from typing import Any, Literal

ErrorType = Literal[
    "invalid_request",
    "unauthorized",
    "payload_too_large",
    "overloaded",
    "not_ready",
    "timeout",
    "not_found",
    "internal",
]
STATUS: dict[ErrorType, int] = {
    "invalid_request": 400,
    "unauthorized": 401,
    "not_found": 404,
    "payload_too_large": 413,
    "overloaded": 429,
    "internal": 500,
    "not_ready": 503,
    "timeout": 504,
}


class ApiError(Exception):
    """One typed refusal; the message says what is wrong and what to do, `details` holds numbers and names."""

    def __init__(
        self,
        type_: ErrorType,
        message: str,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.type: ErrorType = type_
        self.message = message
        self.details = dict(details or {})
        self.headers = dict(headers or {})

    @property
    def status(self) -> int:
        """The HTTP status of this type."""
        return STATUS[self.type]

    def body(self) -> dict[str, Any]:
        """Return the answer's body."""
        return {"error": self.as_error()}

    def as_error(self) -> dict[str, Any]:
        """Return type, message and details, as one item's error carries them too."""
        return {"type": self.type, "message": self.message, "details": self.details}
