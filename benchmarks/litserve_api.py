"""The decider as LitServe's documentation would write it; at a module's top, where its processes can find it."""

from typing import Any

import litserve

from benchmarks.rivals import decide, make_decider


class Api(litserve.LitAPI):
    """Lists of texts in, rows of decisions out, batched by LitServe."""

    def setup(self, device: str) -> None:
        """Load the decider."""
        self.decider = make_decider()

    def decode_request(self, request: dict[str, Any]) -> list[str]:
        """Return a call's texts."""
        return request["texts"]

    def predict(self, batch: list[list[str]]) -> list[list[dict[str, Any]]]:
        """Return each call's rows."""
        rows = iter(decide(self.decider, [text for texts in batch for text in texts]))
        return [[next(rows) for _ in texts] for texts in batch]

    def encode_response(self, output: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the answer."""
        return {"results": output}
