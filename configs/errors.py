"""The one exception that is meant for a person."""


class SwitchboardError(Exception):
    """A mistake its user can mend: the text names the value and the remedy; the command line exits 2 with it."""
