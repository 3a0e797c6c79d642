"""Stops the live service."""

from __future__ import annotations

from cli.grammar import Command, Context, NoArguments, Summary


def run(arguments: NoArguments, context: Context) -> Summary:
    """Stops the live service and the front before it."""
    with context.session():
        from serving.active import model_deployer

        stopped = model_deployer().stop()
        words = "stopped: no service is live now" if stopped else "no service is live: nothing to stop"
        context.console.print(words)
        return {"stopped": stopped}


COMMAND = Command("stop", "stop the live service", run)
