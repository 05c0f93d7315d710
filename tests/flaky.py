"""A proxy that stands before a real server and fails as told: refuses, breaks off before or after, or is gone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx

GONE = -1  # breaks off without having asked the server
LOST = -2  # asks the server and then breaks off: the caller cannot know what happened


@dataclass
class Flaky:
    """For each (method, part of the path): the statuses to answer with, one a call, before the real server is asked."""

    target: str
    url: str = ""
    faults: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    gone: bool = False
    asked: list[str] = field(default_factory=list)

    def fault(self, method: str, path: str) -> int:
        if self.gone:
            return GONE
        for (wanted, part), statuses in self.faults.items():
            if wanted == method and part in path and statuses:
                return statuses.pop(0)
        return 0


@contextmanager
def before(target: str) -> Iterator[Flaky]:
    flaky = Flaky(target)

    class Proxy(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fault = flaky.fault(self.command, self.path)
            if fault > 0:
                self.send_response(fault)
                if fault == 429:
                    self.send_header("Retry-After", "0")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")
            elif fault != GONE:
                self._forward(body, lose=fault == LOST)
            self.close_connection = True

        def _forward(self, body: bytes, lose: bool) -> None:
            headers = {n: v for n, v in self.headers.items() if n.lower() in {"authorization", "content-type"}}
            answer = httpx.request(
                self.command, flaky.target + self.path, content=body or None, headers=headers, timeout=60
            )
            flaky.asked.append(f"{self.command} {self.path.partition('?')[0]}")
            if lose:
                return
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    flaky.url = f"http://127.0.0.1:{server.server_address[1]}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield flaky
    finally:
        server.shutdown()
        server.server_close()
