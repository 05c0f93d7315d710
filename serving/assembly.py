"""One serving process put together from its settings."""

from starlette.applications import Starlette

from configs.paths import published_dir
from configs.playbook import load_playbook
from configs.serving import ServingSettings, load_serving
from serving.app import build_app
from serving.desk import Desk
from serving.endpoints import Endpoints
from serving.keys import load_keys


def assemble(settings: ServingSettings | None = None) -> Starlette:
    """Return the application; nothing starts before it is served."""
    settings = settings or load_serving()
    desk = Desk(settings, load_playbook(), published_dir())
    return build_app(desk, load_keys(settings.keys_file, settings.calls_per_minute), Endpoints(desk))
