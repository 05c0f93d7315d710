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


@app.command("key")
def make_key(
    name: str = typer.Argument(..., help="Who will call with it."),
    scope: list[str] = typer.Option(["classify", "feedback"], help="classify, feedback or admin; may be given again."),
    calls_per_minute: int = typer.Option(None, min=1, help="Its own rate."),
) -> None:
    """Make an API key: prints it once, and the entry for the service's key file, which holds only its hash."""
    import yaml

    from configs.loading import parse_config
    from serving.keys import Key, hash_key, new_key

    secret = new_key()
    values = {"name": name, "sha256": hash_key(secret), "scopes": scope, "calls_per_minute": calls_per_minute}
    key = parse_config(Key, values, source="key")
    print(f"key, shown once: {secret}")
    print("entry for the file that `keys_file` names, below `keys:`")
    print(yaml.safe_dump([key.model_dump(mode="json", exclude_none=True)], sort_keys=False), end="")
