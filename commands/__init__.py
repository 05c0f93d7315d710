"""The command line, a file for each group of commands; `APPS` is what switchboard.py shows."""

APPS = {}
