"""Label Studio's webhook as a nudge: it hurries a pull and carries nothing, so losing every one loses nothing."""

import hmac
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from configs.errors import SwitchboardError
from labeling.client import Client
from labeling.project import Project
from labeling.sdk import PATIENT
from labeling.server import state_dir

SECRET_HEADER = "X-Switchboard-Secret"
_ACTIONS = ["ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED"]
_MAX_BODY = 1 << 20


@contextmanager
def listening(host: str, port: int, secret: str, nudge: Callable[[], None]) -> Iterator[str]:
    """Yield the address of a receiver that answers at once and calls `nudge` for each call that knows the secret."""

    class Receiver(BaseHTTPRequestHandler):
        timeout = 5  # a caller that sends nothing does not hold a thread

        def do_POST(self) -> None:
            """Acknowledge, then nudge."""
            known = hmac.compare_digest(self.headers.get(SECRET_HEADER, "").encode(), secret.encode())
            length = self.headers.get("Content-Length", "0")
            if length.isdigit():
                self.rfile.read(min(int(length), _MAX_BODY))  # the body says nothing that a pull does not ask for
            self.send_response(204 if known else 403)
            self.end_headers()
            if known:
                nudge()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name http.server calls
            """Say nothing."""

    server = ThreadingHTTPServer((host, port), Receiver)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


def register_webhook(client: Client, project: Project, url: str, secret: str) -> None:
    """Make Label Studio call `url` for each change of an annotation; calling again changes nothing more."""
    wanted: dict[str, Any] = {
        "url": url,
        "headers": {SECRET_HEADER: secret},
        "send_payload": False,
        "send_for_all_actions": False,
        "actions": _ACTIONS,
        "is_active": True,
    }
    hooks = client.ask("the list of webhooks", lambda sdk: sdk.webhooks.list(project=str(project.id)))
    number = next((hook.id for hook in hooks if hook.url == url and hook.id is not None), None)
    if number is not None:
        client.ask(f"webhook {number}", lambda sdk: sdk.webhooks.update(number, **wanted))
    else:
        client.make(
            "a new webhook", lambda sdk: sdk.webhooks.create(project=project.id, **wanted, request_options=PATIENT)
        )


def webhook_secret() -> str:
    """Return SWITCHBOARD_WEBHOOK_SECRET, else one made once and kept in a file only we can read."""
    given = os.environ.get("SWITCHBOARD_WEBHOOK_SECRET")
    if given:
        return given
    path = state_dir() / "webhook-secret"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(32))
    except FileExistsError:
        pass
    secret = path.read_text(encoding="utf-8").strip()
    if not secret:
        raise SwitchboardError(f"{path}: holds no secret, so anybody could call; delete it, and a new one is made")
    return secret
