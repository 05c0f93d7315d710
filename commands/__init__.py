"""The command line, a file for each group of commands.

`GROUPS` are shown as `switchboard NAME COMMAND`; the commands of `TOP` stand on the first level.
"""

from commands import bento, classify, compare, data, demo, evaluate, label, models, playbook, serve, train

TOP = [demo.app, train.app, models.app, evaluate.app, compare.app, classify.app, serve.app, bento.app]
GROUPS = {"data": data.app, "label": label.app, "playbook": playbook.app}
