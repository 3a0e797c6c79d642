"""What ``stop`` says of the cost, and what ``status`` shows of an endpoint."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from rich.console import Console

from cli.commands import status, stop
from cli.grammar import NoArguments
from sentiment.deployment import Bento, Deployment


@pytest.mark.parametrize(
    ("cost", "words", "summary"),
    [
        ("", "stopped: no service is live now", {"stopped": True}),
        ("$0.50 an hour", "live now, which saves $0.50 an hour", {"stopped": True, "saves": "$0.50 an hour"}),
    ],
)
def test_stop_names_what_it_saves(cost, words, summary, monkeypatch):
    deployer = SimpleNamespace(hourly_cost=lambda: cost, stop=lambda: True)
    monkeypatch.setattr("serving.active.model_deployer", lambda: deployer)
    console = Console(record=True, width=200)
    assert stop.run(NoArguments(), SimpleNamespace(session=nullcontext, console=console)) == summary
    assert console.export_text().strip().endswith(words)


def test_status_shows_an_endpoint_with_its_weights_and_cost():
    bento = Bento(tag="sentiment:v3", model="sentiment", version="3", labels={})
    facts = {"traffic": "sentiment-v3-ab 100%", "cost": "$0.50 an hour"}
    live = Deployment(bento=bento, http="h", grpc="", since="s", front=True, run="r", service="i", facts=facts)
    console = Console(record=True, width=200)
    console.print(status._live_table(live, None, None))
    shown = console.export_text()
    for words in ("answers over HTTP ", "not reachable", "the endpoint: a switch", *facts.values()):
        assert words in shown
