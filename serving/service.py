"""The BentoML service: our ASGI application at its front, its server, packaging and deployment around it."""

import bentoml

from serving.app import FrontDoor
from serving.assembly import assemble
from serving.logs import configure_logs

api = assemble()


@bentoml.service(
    name="switchboard",
    workers=1,  # one model, one cache, one queue; more replicas are more processes
    traffic={"timeout": 60},
    metrics={"enabled": False},  # /metrics is ours
    logging={"access": {"enabled": False}},  # and so are the logs
    tracing={"excluded_urls": ".*"},
)
@bentoml.asgi_app(api, path="/")
class Switchboard:
    """Sorts messages to a company into eight labels and says which team should answer."""

    def __init__(self) -> None:
        configure_logs()  # where BentoML's own server runs it, which has set up its own before


Switchboard.add_asgi_middleware(FrontDoor, ours=api)  # pyright: ignore[reportArgumentType]
