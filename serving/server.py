"""Running the service: the socket first, so that a port in use is said in one line, then BentoML's application on it."""

import os
import signal
import socket
from collections.abc import Callable
from math import ceil

import uvicorn

from configs.errors import SwitchboardError
from configs.serving import ServingSettings
from serving.app import FrontDoor
from serving.keys import check_binding, load_keys
from serving.logs import configure_logs
from serving.protocol import GuardedProtocol

BACKLOG = 2048
KEEP_ALIVE_S = 30


def run_server(settings: ServingSettings, on_bound: Callable[[str], None] = lambda url: None) -> None:
    """Serve until SIGTERM or SIGINT: then stop taking, finish what was taken, and return."""
    check_binding(settings.host, load_keys(settings.keys_file, settings.calls_per_minute))
    bound = bind(settings.host, settings.port)
    os.environ["BENTOML_DO_NOT_TRACK"] = "True"
    from serving.service import Switchboard, api

    configure_logs()
    config = uvicorn.Config(
        FrontDoor(Switchboard.to_asgi(), api), log_config=None, access_log=False, server_header=False, backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S, timeout_graceful_shutdown=ceil(settings.grace_s),
        http=GuardedProtocol, loop="uvloop", ws="none",
    )  # fmt: skip
    host, port = bound.getsockname()[:2]
    on_bound(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
    for signal_ in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_, lambda *_: None)  # uvicorn raises it again when all is finished, which then ends well
    uvicorn.Server(config).run(sockets=[bound])


def bind(host: str, port: int) -> socket.socket:
    """Return a listening address, or say what keeps it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # by which asyncio knows to set TCP_NODELAY
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError as error:
        found.close()
        raise SwitchboardError(
            f"cannot listen on {host}:{port} ({error.strerror}); choose another port with --port, 0 takes a free one"
        ) from None
    found.set_inheritable(True)
    return found
