"""Switchboard's command line: parses, calls one function, prints; heavy imports stay inside command bodies."""

import sys

import typer

from commands import GROUPS, TOP
from configs.environment import settle_libraries
from configs.errors import SwitchboardError

app = typer.Typer(
    name="switchboard",
    help="Sort what people write to a company, and say which team should answer.",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: loading rich alone would take half of the half second that --help may take
    pretty_exceptions_enable=False,
    add_completion=False,
)
for sub in TOP:
    app.add_typer(sub)
for name, sub in GROUPS.items():
    app.add_typer(sub, name=name)


def main() -> None:
    """Run the command line; a mistake its user can mend is one line on stderr and exit code 2."""
    settle_libraries()
    try:
        app()
    except SwitchboardError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
