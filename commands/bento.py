"""`switchboard bento`: the service packed by BentoML."""

import typer

app = typer.Typer()


@app.command()
def bento(json: bool = typer.Option(False, "--json", help="Print JSON.")) -> None:
    """Build a bento with the serving dependencies only; the model is mounted where it runs."""
    import os

    import orjson

    os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")
    import bentoml

    from configs.paths import PROJECT

    built = bentoml.bentos.build_bentofile(str(PROJECT / "bentofile.yaml"), build_ctx=str(PROJECT))
    if json:
        print(orjson.dumps({"tag": str(built.tag), "path": built.path}).decode())
        return
    print(f"built {built.tag} in {built.path}")
    print(f"next: bentoml containerize {built.tag}   (docs/operations.md shows how it is run)")
