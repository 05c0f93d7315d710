"""The command line, a file for each group of commands.

`GROUPS` are shown as `switchboard NAME COMMAND`; the commands of `TOP` stand on the first level.
"""

from commands import classify, data, demo, label, models, playbook, serve

TOP = [demo.app, models.app, classify.app, serve.app]
GROUPS = {"data": data.app, "label": label.app, "playbook": playbook.app}
