"""50,000 reviews from file to splits: time and peak memory of Sentiment Stack's way and of a well-known one.

ours       SourceSettings/load_reviews (checks included), selectolax + ftfy cleaning, exact and near-copy removal,
           conflicting labels, stratified seeded split by label and source
plain      pandas.read_csv, BeautifulSoup (html.parser) get_text, drop_duplicates, two times scikit-learn's
           train_test_split(stratify=label): less work, it leaves mojibake and near-copies where they are

Each run is a process of its own; the variants take turns; medians are printed. Needs beautifulsoup4 for `plain`. The
reviews are those of the source imdb-50k (downloaded once into $SENTIMENT_CACHE), or of a CSV with text and label.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VARIANTS = ("ours", "plain")
SEED = 7


def ours(path: str) -> dict[str, int]:
    """Our way: returns the rows of each split."""
    from sentiment.reviews.sources import SourceSettings, load_reviews
    from sentiment.reviews.splitting import SplitSettings, split

    reviews = load_reviews(SourceSettings(source=f"file:{path}"), seed=SEED)
    splits = split(reviews, SplitSettings(), seed=SEED)
    return {"train": len(splits.train), "validation": len(splits.validation), "test": len(splits.test)}


def plain(path: str) -> dict[str, int]:
    """The well-known way: returns the rows of each split."""
    import pandas as pd
    from bs4 import BeautifulSoup
    from sklearn.model_selection import train_test_split

    frame = pd.read_csv(path)
    frame["text"] = [BeautifulSoup(text, "html.parser").get_text(" ") for text in frame["text"]]
    frame = frame.drop_duplicates("text")
    train, rest = train_test_split(frame, test_size=0.2, stratify=frame["label"], random_state=SEED)
    validation, test = train_test_split(rest, test_size=0.5, stratify=rest["label"], random_state=SEED)
    return {"train": len(train), "validation": len(validation), "test": len(test)}


def write_imdb_50k(path: str) -> None:
    """Writes the source imdb-50k as a CSV with columns text and label."""
    from sentiment.reviews.packages import read_imdb_50k

    read_imdb_50k().set_axis(["text", "label"], axis="columns").to_csv(path, index=False)


def measured(variant: str, path: str) -> None:
    """Runs one variant in this process and prints its figures as JSON."""
    started = time.perf_counter()
    rows = {"ours": ours, "plain": plain}[variant](path)
    seconds = time.perf_counter() - started
    usage = resource.getrusage(resource.RUSAGE_SELF)
    figures = {"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "mb": usage.ru_maxrss / 1024, "rows": rows}
    print(json.dumps(figures))


def in_a_process(*arguments: str) -> str:
    """Runs this file with arguments in a new process on one thread and returns what it prints."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, __file__, *arguments]
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout


def compare(path: str, repeats: int) -> None:
    """Runs the variants in turns and prints medians and ratios."""
    runs: dict[str, list[dict]] = {variant: [] for variant in VARIANTS}
    for _ in range(repeats):
        for variant in VARIANTS:
            runs[variant].append(json.loads(in_a_process("--run", variant, "--file", path)))
    median = {
        variant: {key: statistics.median(run[key] for run in runs[variant]) for key in ("seconds", "cpu", "mb")}
        for variant in VARIANTS
    }
    print(f"{'variant':<10}{'seconds':>9}{'CPU s':>9}{'peak MB':>9}   train / validation / test")
    for variant in VARIANTS:
        figures, rows = median[variant], runs[variant][0]["rows"].values()
        print(
            f"{variant:<10}{figures['seconds']:>9.1f}{figures['cpu']:>9.1f}{figures['mb']:>9.0f}   "
            + " / ".join(f"{count:,}" for count in rows)
        )
    ratios = {key: median["plain"][key] / median["ours"][key] for key in ("seconds", "cpu", "mb")}
    print(
        f"plain takes {ratios['seconds']:.2f}x the time, {ratios['cpu']:.2f}x the CPU time and {ratios['mb']:.2f}x the "
        f"memory of ours (medians of {repeats} runs in turns)"
    )


def main() -> None:
    """Reads the arguments and does one of the three."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", help="a CSV with columns text and label instead of imdb-50k")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each variant (default 3)")
    parser.add_argument("--run", choices=VARIANTS, help=argparse.SUPPRESS)
    parser.add_argument("--write", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        measured(arguments.run, arguments.file)
    elif arguments.write:
        write_imdb_50k(arguments.write)
    elif arguments.file:
        compare(arguments.file, arguments.repeats)
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder, "reviews.csv"))
            in_a_process("--write", path)  # not in this process: a child inherits the peak memory of its parent
            compare(path, arguments.repeats)


if __name__ == "__main__":
    main()
