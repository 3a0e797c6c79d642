"""The pages of a Bento and of a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment.pages.html import banner, facts, page, section

if TYPE_CHECKING:
    from sentiment.deployment import Bento, Deployment


def bento_page(bento: Bento) -> str:
    """Shows the content and lineage of a Bento."""
    return page(
        f"Bento {bento.tag}",
        facts({"model": bento.model, "version": bento.version}),
        section("Where it comes from", facts(_labels(bento))),
    )


def deployment_page(deployment: Deployment) -> str:
    """Shows the live Bento, its addresses, and since when."""
    bento = deployment.bento
    words = f"Version {bento.version} of {bento.model} is live"
    return page(
        f"Deployment of {bento.model}, version {bento.version}",
        banner(words, "good") if deployment.healthy else banner(f"{words}, but did not answer", "bad"),
        facts(
            {
                "HTTP": deployment.http,
                "gRPC": deployment.grpc or "not reachable",
                "since": deployment.since,
                "proxy in front": "yes: a switch loses no request"
                if deployment.front
                else "no: a switch takes seconds",
                "Bento": bento.tag,
                "pipeline run": deployment.run,
                "service": deployment.service,
                **deployment.facts,
            }
        ),
        section("Where the Bento comes from", facts(_labels(bento))),
    )


def _labels(bento: Bento) -> dict[str, str]:
    return {name.replace("_", " "): value for name, value in bento.labels.items()}
