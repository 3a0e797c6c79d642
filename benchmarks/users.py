"""Simulated users of the live service, for trying the closed loop: they write about other things than films.

They ask about tools and clothes, in plain words: a model of film reviews can only guess.
First a burst of texts, a part of which they label; then some every second until interrupted, so that a canary has
traffic to be judged by. Needs a live service (``make deploy``). Run: ``python -m benchmarks.users``.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

GOODS = ["jacket", "tent", "knife", "lamp", "kettle", "rucksack", "saw", "stove", "torch", "boot", "glove", "drill"]
OPENINGS = (
    "Bought the {good} in {month}.",
    "The {good} came on a {day}.",
    "My second {good} from them.",
    "{day}, on the hill, with the new {good}.",
    "Took the {good} to the coast in {month}.",
)
GOOD = (
    "Not a drop came through", "The zip runs with one finger", "It held a charge for nine days",
    "The blade kept its edge through a winter of oak", "Dry again by breakfast", "The seams look as on the first day",
    "It boils before I have found the cups", "One hand is enough", "The strap stays where I put it",
    "It lit at the first turn", "My neighbour has ordered three", "It left the wash in the size it went in",
)  # fmt: skip
BAD = (
    "The zip needs two hands", "It held a charge for nine minutes", "The seam let go on the second hill",
    "The blade chipped on bread", "Still wet at supper", "The handle stayed in the door when I pulled",
    "It boils after the others have eaten", "The strap slid down all day", "It lit at the tenth turn",
    "My neighbour has asked whether I want his, too", "It went through the wash and now fits the dog",
    "The rain was inside before I was",
)  # fmt: skip
MONTHS = ["January", "March", "May", "July", "September", "November"]
DAYS = ["Monday", "Tuesday", "Thursday", "Friday", "Saturday"]
REQUEST = 20  # texts


def written(seed: int) -> Iterator[tuple[str, str]]:
    """Generates texts with the label that their writers mean, half of them positive."""
    draw = random.Random(seed)
    for label, phrases in itertools.cycle((("positive", GOOD), ("negative", BAD))):
        opening = draw.choice(OPENINGS).format(
            good=draw.choice(GOODS), month=draw.choice(MONTHS), day=draw.choice(DAYS)
        )
        yield f"{opening} {'. '.join(draw.sample(phrases, 2))}.", label


def main() -> None:
    """Asks and labels."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--http", default="http://127.0.0.1:3000", help="address of the live service")
    parser.add_argument("--texts", type=int, default=1200, help="of the burst (default 1200)")
    parser.add_argument("--labels", type=int, default=400, help="of these texts (default 400)")
    parser.add_argument("--per-second", type=float, default=4, help="requests after the burst; 0: none (default 4)")
    parser.add_argument("--seed", type=int, default=13)
    options = parser.parse_args()

    from bento.client import HttpClient

    texts = written(options.seed)
    with HttpClient(options.http) as http:
        asked, right = [], 0
        for _ in range(0, options.texts, REQUEST):
            part = list(itertools.islice(texts, REQUEST))
            answers = http.predict([text for text, _ in part]).predictions
            right += sum(answer.label == label for answer, (_, label) in zip(answers, part, strict=True))
            asked += [(answer.id, label) for answer, (_, label) in zip(answers, part, strict=True)]
        for identifier, label in random.Random(options.seed).sample(asked, min(options.labels, len(asked))):
            http.feedback(identifier, label)
        print(f"{len(asked):,} texts asked about, {right:,} answered as their writers mean them")
        if options.per_second:
            print(f"and {options.per_second:g} more a second, until Ctrl-C")
        while options.per_second:
            http.predict([next(texts)[0]])
            time.sleep(1 / options.per_second)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
