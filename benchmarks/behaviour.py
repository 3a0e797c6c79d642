"""Failure rates of behavioural tests by candidate, and the share of neutral sentences that it abstains from.

The cases are those of ``sentiment.behaviour``: templates, and sentences of a version's test split. Every candidate gets
the same ones. Directories alone have no test split: their cases come from templates only, unless ``--reviews`` names a
source. ``--set third`` takes templates that neither training nor development has seen; ``--set first``, training's.

Run: ``python -m benchmarks.behaviour [--version N ...] [--servable DIR ...]``; without either, it measures the version
in production. The parts of a cascade are servables, too: ``--servable DIR/linear --servable DIR/transformer``.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from sentiment.behaviour.capabilities import Capability, Case
    from sentiment.behaviour.checks import BehaviourSettings, Failure
    from sentiment.reviews.table import Reviews

CONFIG = Path(__file__).resolve().parents[1] / "configs" / "behaviour.yaml"
MODEL = "sentiment"

SETS = {"second": "sentiment.behaviour.capabilities", "third": "sentiment.behaviour.held_out"}
"""The module of every set of test templates; CAPABILITIES is a tuple, or a mapping by name."""


@dataclass(frozen=True)
class Result:
    """What a candidate failed.

    Attributes:
        failures: The failed cases by capability.
        counts: The number of cases by capability.
        abstentions: Names of the capabilities that test abstention.
    """

    failures: Mapping[str, Sequence[Failure]]
    counts: Mapping[str, int]
    abstentions: frozenset[str]

    def rate(self, name: str) -> float:
        """Returns the share of failed cases of a capability."""
        return len(self.failures[name]) / self.counts[name]

    @property
    def mean(self) -> float | None:
        """The mean over the capabilities that do not test abstention: the one that promotion compares."""
        rates = [self.rate(name) for name in self.counts if name not in self.abstentions]
        return statistics.mean(rates) if rates else None

    @property
    def abstained(self) -> float | None:
        """The share of sentences without an opinion that is abstained from; None if the set has no such sentences."""
        count = sum(self.counts[name] for name in self.abstentions)
        failed = sum(len(self.failures[name]) for name in self.abstentions)
        return 1 - failed / count if count else None


def training_set() -> list[Capability]:
    """Makes capabilities of the templates that train."""
    from sentiment.behaviour.capabilities import Capability, Case
    from sentiment.behaviour.templates import generate
    from sentiment.behaviour.training import no_opinion
    from sentiment.behaviour.training.families import FAMILIES
    from sentiment.behaviour.training.words import LEXICONS

    def labelled(rng: Random, _: Sequence[str], *, name: str) -> Iterator[Case]:
        return (Case(sentence.text, label=sentence.label) for sentence in generate(FAMILIES[name], LEXICONS, rng))

    def neutral(rng: Random, _: Sequence[str]) -> Iterator[Case]:
        templates = (*no_opinion.WITH_IDENTITY, *no_opinion.WITH_NAME_OR_PLACE, *no_opinion.WITHOUT)
        return (Case(sentence.text) for sentence in generate(templates, LEXICONS, rng))

    taught = [Capability(name, "MFT", "Taught in training.", partial(labelled, name=name)) for name in FAMILIES]
    return [*taught, Capability("says_nothing", "ABS", "Taught in training.", neutral)]


def load_set(name: str) -> list[Capability]:
    """Imports the module of a set of templates."""
    if name == "first":
        return training_set()
    found = import_module(SETS[name]).CAPABILITIES
    return list(found.values()) if isinstance(found, Mapping) else list(found)


def find_versions(stack: str, numbers: Sequence[str]) -> tuple[dict[str, Path], Reviews]:
    """Loads the servables of versions, and the test split of the first of them."""
    from cli.session import session

    with session(stack, debug=False):
        import materializers  # noqa: F401  # registers how typed artifacts are loaded
        from registry import versions

        if not numbers:
            champion = versions.find_production(MODEL)
            if champion is None:
                raise SystemExit("no version is in production: run make train first, or pass --servable")
            numbers = [champion.number]
        paths = {f"version {n}": versions.get_artifact(MODEL, n, "servable").load().path for n in numbers}
        return paths, versions.get_artifact(MODEL, numbers[0], "splits").load().test


def draw(
    capabilities: Sequence[Capability], reviews: Reviews | None, settings: BehaviourSettings, count: int, seed: int
) -> dict[str, list[Case]]:
    """Draws the cases of every capability: as many as the settings ask for, or ``count``."""
    from sentiment.behaviour.checks import draw_cases, real_sentences

    sentences = real_sentences(reviews, seed=seed) if reviews is not None else []
    asked = {name: capability.cases for name, capability in settings.capabilities.items()}
    return {c.name: draw_cases(c, sentences, seed=seed, count=asked.get(c.name, count)) for c in capabilities}


def measure(
    path: Path, capabilities: Sequence[Capability], cases: Mapping[str, list[Case]], settings: BehaviourSettings
) -> Result:
    """Loads a classifier as the service does, and answers every case."""
    from joblib import cpu_count

    from sentiment.behaviour.checks import find_failures
    from sentiment.models import Classifier

    classifier = Classifier.load(path, threads=cpu_count())
    failures = find_failures(classifier.predict_proba, cases, settings)
    counts = {name: len(listed) for name, listed in cases.items()}
    return Result(failures, counts, frozenset(c.name for c in capabilities if c.kind == "ABS"))


def make_table(results: Mapping[str, Result], title: str) -> Table:
    """Shows a row for each capability, the mean and the abstentions, and a column for each candidate."""
    from rich.table import Table

    table = Table("capability", "cases", title=title, title_justify="left")
    for name in results:
        table.add_column(name, justify="right", overflow="fold")
    first = next(iter(results.values()))
    for name, count in first.counts.items():
        if name not in first.abstentions:
            table.add_row(name, f"{count:,}", *(f"{result.rate(name):.1%}" for result in results.values()))
    table.add_section()
    table.add_row("mean", "", *(_percent(result.mean) for result in results.values()))
    neutral = sum(first.counts[name] for name in first.abstentions)
    shares = (_percent(result.abstained) for result in results.values())
    table.add_row("neutral sentences abstained from", f"{neutral:,}", *shares)
    return table


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def main() -> None:
    """Prints the table, and failing examples where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", action="append", default=[], metavar="N", help="a version in the registry")
    parser.add_argument("--servable", action="append", default=[], type=Path, metavar="DIR", help="a servable")
    parser.add_argument(
        "--set", choices=("first", *SETS), default="second", help="the set of templates (default second)"
    )
    parser.add_argument("--reviews", metavar="SOURCE", help="reviews to perturb, with --servable only (file:..., ...)")
    parser.add_argument("--cases", type=int, default=120, help="of capabilities that the configuration does not list")
    parser.add_argument("--examples", type=int, default=0, help="failing examples of each capability (default 0)")
    parser.add_argument("--seed", type=int, default=13, help="of the cases (default 13, the pipelines')")
    parser.add_argument("--stack", default="local")
    options = parser.parse_args()
    from rich.console import Console
    from rich.markup import escape

    from sentiment.behaviour.checks import BehaviourSettings
    from sentiment.reviews.sources import SourceSettings, load_reviews
    from sentiment.settings import read_settings

    paths: dict[str, Path] = {}
    reviews: Reviews | None = None
    if options.version or not options.servable:
        paths, reviews = find_versions(options.stack, options.version)
    elif options.reviews:
        reviews = load_reviews(SourceSettings(source=options.reviews), seed=options.seed)
    paths |= {str(path): path for path in options.servable}

    capabilities = load_set(options.set)
    settings = read_settings(BehaviourSettings, CONFIG)
    cases = draw(capabilities, reviews, settings, options.cases, options.seed)
    results = {name: measure(path, capabilities, cases, settings) for name, path in paths.items()}
    console = Console()
    origin = "templates only" if reviews is None else "templates and real sentences"
    console.print(make_table(results, f"Share of failed cases, {options.set} set, {origin}"))
    for name, result in results.items() if options.examples else ():
        for capability, failures in result.failures.items():
            for failure in failures[: options.examples]:
                console.print(f"[bold]{escape(name)}[/] {capability}: {escape(failure.description)}", highlight=False)


if __name__ == "__main__":
    main()
