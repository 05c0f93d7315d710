"""The same decider behind other servers, each as its own documentation would write it.

python benchmarks/rivals.py fastapi|litserve|batchable PORT BUNDLE
"""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from configs.playbook import load_playbook
from data.messages import Message
from serving.decisions import Decider
from training.predictor import Predictor

BUNDLE = "SWITCHBOARD_BENCH_BUNDLE"


def make_decider() -> Decider:
    """Return the decider that every system here answers with."""
    return Decider(Predictor(Path(os.environ[BUNDLE])), load_playbook())


def decide(decider: Decider, texts: list[str]) -> list[dict[str, Any]]:
    """Return the rows of decisions on texts."""
    return [one.as_row() for one in decider.decide([Message(text, str(n)) for n, text in enumerate(texts)])]


def serve_fastapi(port: int) -> None:
    """Serve with FastAPI: a plain endpoint on its thread pool."""
    import uvicorn
    from fastapi import Body, FastAPI

    app, decider = FastAPI(), make_decider()

    @app.post("/classify")
    def classify(texts: Annotated[list[str], Body(embed=True)]) -> list[dict[str, Any]]:
        return decide(decider, texts)

    uvicorn.run(app, port=port, log_level="warning")


def serve_litserve(port: int) -> None:
    """Serve with LitServe and its batching."""
    import litserve

    from benchmarks.litserve_api import Api

    api = Api(max_batch_size=32, batch_timeout=0.005, api_path="/classify")
    litserve.LitServer(api, accelerator="cpu").run(port=port, generate_client_file=False, log_level="warning")


def serve_batchable(port: int) -> None:
    """Serve with BentoML's own adaptive batching, at its defaults."""
    import bentoml

    bentoml.serve("benchmarks.rivals:Batchable", port=port, blocking=True)


if __name__ == "__main__":
    name, port_, bundle = sys.argv[1:]
    os.environ[BUNDLE] = bundle
    {"fastapi": serve_fastapi, "litserve": serve_litserve, "batchable": serve_batchable}[name](int(port_))
elif os.environ.get(BUNDLE):
    import bentoml

    @bentoml.service(name="batchable")
    class Batchable:
        """BentoML's plain batchable endpoint."""

        def __init__(self) -> None:
            self.decider = make_decider()

        @bentoml.api(batchable=True)
        def classify(self, texts: list[str]) -> list[dict[str, Any]]:
            """Return a row a text."""
            return decide(self.decider, texts)
