"""`switchboard serve`: the champion behind HTTP."""

import typer

app = typer.Typer()


@app.command()
def serve(
    host: str = typer.Option(
        None, help="Address to listen on; other machines' need API keys. Default: configs/serving.yaml."
    ),
    port: int = typer.Option(None, help="Port to listen on; 0 takes a free one."),
    set_: list[str] = typer.Option([], "--set", metavar="KEY=VALUE", help="Any key of configs/serving.yaml."),
) -> None:
    """Serve the champion over HTTP, following promotions and rollbacks; Ctrl-C finishes what was accepted."""
    from configs.loading import load_config
    from configs.paths import CONFIGS, published_dir
    from configs.serving import ServingSettings, environment_overrides, use_settings
    from training.publish import champion_folder

    given = {"host": host, "port": port}
    overrides = (
        *environment_overrides(),
        *(f"{key}={value}" for key, value in given.items() if value is not None),
        *set_,
    )
    settings = use_settings(load_config(ServingSettings, CONFIGS / "serving.yaml", overrides))
    champion_folder(published_dir())

    from serving.server import run_server

    run_server(
        settings,
        lambda url: print(f"switchboard serves the champion on {url}  (description: {url}/openapi.json)", flush=True),
    )
