"""Stops the live service."""

from __future__ import annotations

from cli.grammar import Command, Context, NoArguments, Summary


def run(arguments: NoArguments, context: Context) -> Summary:
    """Stops the live service and the front before it."""
    with context.session():
        from registry import versions
        from serving.active import model_deployer

        deployer = model_deployer()
        cost = deployer.hourly_cost()
        stopped = deployer.stop()
        words = "stopped: no service is live now" if stopped else "no service is live: nothing to stop"
        context.console.print(words + (f", which saves {cost}" if cost else ""))
        versions.record_live("", "")  # after the words: the service is stopped even if ZenML does not answer
        return {"stopped": stopped, **({"saves": cost} if cost else {})}


COMMAND = Command("stop", "stop the live service", run)
