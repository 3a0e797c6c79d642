"""The commands of the command line, one a file; this table is the only list of them.

A file here imports nothing heavy: the function that runs a command has its own imports.
"""

from cli.commands import (
    compare,
    continuous,
    deploy,
    evaluate,
    labels,
    monitor,
    promote,
    prune,
    report,
    rollback,
    score,
    smoke,
    stack,
    status,
    stop,
    train,
    tune,
    versions,
)

COMMANDS = (
    train.COMMAND,
    tune.COMMAND,
    evaluate.COMMAND,
    deploy.COMMAND,
    monitor.COMMAND,
    continuous.COMMAND,
    score.COMMAND,
    labels.COMMAND,
    status.COMMAND,
    report.COMMAND,
    stop.COMMAND,
    versions.COMMAND,
    compare.COMMAND,
    smoke.COMMAND,
    promote.COMMAND,
    rollback.COMMAND,
    prune.COMMAND,
    stack.COMMAND,
)
