"""Reviews per second from file to file: bulk scoring against other ways to score a file with the same checkpoint.

score          a job of ``sentiment.scoring``, Parquet to parts in Parquet, on all cores: everything counts, the start
               of its processes, reading and writing; of the cascade, and of its linear model alone
pipeline       ``transformers.pipeline`` in float32, batches of 16, torch's own threads: Parquet to Parquet
ray            the same pipeline under Ray Data as Ray's documentation has it: read, actors (one a core), write
mlflow         the same pipeline in an ``mlflow.pyfunc`` model, over pandas chunks of 256 rows: Parquet to Parquet

The alternatives' start and the loading of their models do not count, and they read as many tokens as we do. All take
turns, several rounds; a job scores the round's file, an alternative the first rows of it. A ratio is the median of the
rounds' ratios. Needs a promoted cascade (``make train``). Run: ``python -m benchmarks.scoring``.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.inference import load
from benchmarks.promoted import Promoted, promoted

if TYPE_CHECKING:
    from sentiment.scoring.plan import Shard
    from sentiment.scoring.settings import ScoreSettings

ALTERNATIVES = ("pipeline", "ray", "mlflow")
BATCH, CHUNK = 16, 256  # reviews of a batch of the transformer; rows of a chunk of pandas
IN_PROCESS = 4000  # reviews that are scored without files
SHARE_ROWS = 10_000  # of which the time for reading and writing is measured
SEED = 7

Answers = list[dict[str, object]]
Answer = Callable[[list[str]], Answers]
Rate = Callable[[int], float]  # reviews per second in a round


@dataclass
class Files:
    """The reviews: a file for each round, and its first rows as another one.

    Attributes:
        folder: Holds them, and what is written.
        head: Rows of the other one.
    """

    folder: Path
    head: int

    def whole(self, number: int) -> Path:
        """The file of a round."""
        return self.folder / f"reviews-{number}.parquet"

    def first(self, number: int) -> Path:
        """The first rows of it."""
        return self.folder / f"first-{number}.parquet"

    def write(self, texts: Sequence[str], count: int, rounds: int) -> None:
        """Writes ``count`` reviews in all; after the first time, every review is changed a little."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        rng = random.Random(SEED)
        for number in range(rounds):
            places = range(count * number // rounds, count * (number + 1) // rounds)
            found = [texts[n % len(texts)] if n < len(texts) else vary(texts[n % len(texts)], rng) for n in places]
            table = pa.table({"id": list(places), "text": found})
            pq.write_table(table, self.whole(number))
            pq.write_table(table.slice(0, self.head), self.first(number))


def vary(text: str, rng: random.Random) -> str:
    """Adds a word, one of the text's own, so that nothing which was kept of the text is of use."""
    words = text.split(" ")
    words.insert(rng.randrange(len(words) + 1), rng.choice(words))
    return " ".join(words)


def read_texts(otherwise: list[str]) -> list[str]:
    """The 50,000 full-length reviews of imdb-50k, or others where there is no network."""
    from sentiment.errors import UserError
    from sentiment.reviews.sources import SourceSettings, load_reviews

    try:
        return load_reviews(SourceSettings(source="imdb-50k"), seed=0).frame["text"].dropna().tolist()
    except UserError as error:
        print(f"{error}\nreviews of the test split instead")
        return otherwise


@contextmanager
def another_process() -> Iterator[ProcessPoolExecutor]:
    """A fresh process, so that memory and threads are those of what it runs alone."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool


@contextmanager
def peak_memory() -> Iterator[list[int]]:
    """Yields a list; while the block runs, it gets the bytes of this process and its children, twice a second."""
    import psutil

    me, samples, over = psutil.Process(), [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            total = 0
            for process in (me, *me.children(recursive=True)):
                with suppress(psutil.Error):  # it has ended
                    total += process.memory_full_info().pss  # a page that several share counts once
            samples.append(total)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    yield samples
    over.set()
    thread.join()


def run_job_once(servable: Path, source: Path, output: Path) -> tuple[float, float, int]:
    """Scores a file as the score step does; returns reviews/s, the job's own figure, and bytes of memory."""
    start = time.perf_counter()
    with peak_memory() as samples:
        from sentiment.models.servable import Servable
        from sentiment.scoring.job import Target, prepare_folder, run_job
        from sentiment.scoring.scorer import Scorer
        from sentiment.scoring.settings import ScoreSettings
        from sentiment.scoring.storage import Storage
        from sentiment.scoring.workers import open_workers

        settings, storage = ScoreSettings(input=str(source), output=str(output)), Storage()
        target = Target.of(str(output), None)
        prepare_folder(target, storage, restart=False)
        make = partial(
            Scorer, model_version="0", folder=target.folder, form=target.form, settings=settings, storage=storage
        )
        model = ("benchmark", "0", Servable(servable).fingerprint)
        with open_workers(make, servable, settings) as workers:
            done = run_job(str(source), target, model, settings, storage, workers)
        seconds = time.perf_counter() - start
    return done.manifest.rows / seconds, done.new_rows / done.seconds, max(samples)


class Job:
    """Our way: the rates of its rounds, and its memory."""

    def __init__(self, servable: Path, files: Files) -> None:
        self._servable, self._files = servable, files
        self.scoring: list[float] = []  # reviews/s without the start and the plan
        self.memory = 0

    def rate(self, number: int) -> float:
        """Runs the job of a round."""
        output = self._files.folder / f"{self._servable.name}-{number}-scored"
        with another_process() as process:
            found = process.submit(run_job_once, self._servable, self._files.whole(number), output).result()
        self.scoring.append(found[1])
        self.memory = max(self.memory, found[2])
        return found[0]


def make_pipeline(checkpoint: Path, length: int) -> Answer:
    """``transformers.pipeline``; it is warm."""
    from transformers import pipeline
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    classify = pipeline("text-classification", model=str(checkpoint), device=-1, dtype="float32")

    def answer(texts: list[str]) -> Answers:
        return classify(texts, truncation=True, max_length=length, batch_size=BATCH)

    answer(["The first call is the slowest one."] * BATCH)
    return answer


def by_pipeline(found: Promoted, files: Files, cores: int) -> Rate:
    """``transformers.pipeline`` over a list of all texts."""
    import pandas as pd

    answer = make_pipeline(found.checkpoint, found.length)

    def rate(number: int) -> float:
        start = time.perf_counter()
        frame = pd.read_parquet(files.first(number))
        answers = pd.DataFrame(answer(frame["text"].tolist()))
        pd.concat([frame, answers], axis="columns").to_parquet(files.folder / f"pipeline-{number}.parquet")
        return len(frame) / (time.perf_counter() - start)

    return rate


class RayClassify:
    """An actor of Ray Data; like its documentation's, it loads its model when it starts.

    Then it waits for the others: in a short run the first one would do all the work alone.
    """

    def __init__(self, checkpoint: Path, length: int, ready: Path, actors: int) -> None:
        import torch

        torch.set_num_threads(1)
        self._answer = make_pipeline(checkpoint, length)
        (ready / str(os.getpid())).touch()
        patience = time.time() + 120
        while len(list(ready.iterdir())) < actors and time.time() < patience:
            time.sleep(0.02)

    def __call__(self, batch: dict) -> dict:
        """Answers a batch, and tells who did it and when."""
        begun = time.time()
        answers = self._answer(batch["text"].tolist())
        size = len(answers)
        kept = {name: [answer[name] for answer in answers] for name in ("label", "score")}
        return batch | kept | {"begun": [begun] * size, "actor": [os.getpid()] * size}


def by_ray(found: Promoted, files: Files, cores: int) -> Rate:
    """Ray Data, from the start of the first batch to the time when the last file is written."""
    import logging

    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}
    import pandas as pd
    import ray
    import ray.data

    def rate(number: int) -> float:
        output, ready = files.folder / f"ray-{number}", files.folder / f"ray-{number}-ready"
        ready.mkdir()
        # One more CPU than actors, which otherwise leave none for the tasks that read and write.
        ray.init("local", num_cpus=cores + 1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        ray.data.DataContext.get_current().enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        try:
            # Of a small file, Ray makes one task, for one actor; so it gets a block a batch.
            blocks = ray.data.read_parquet(str(files.first(number))).repartition(-(-files.head // BATCH))
            blocks.map_batches(
                RayClassify,
                fn_constructor_args=(found.checkpoint, found.length, ready, cores),
                batch_size=BATCH,
                num_cpus=1,
                compute=ray.data.ActorPoolStrategy(size=cores, max_tasks_in_flight_per_actor=2),
            ).write_parquet(str(output))
        finally:
            ray.shutdown()
        frame = pd.read_parquet(output)
        if (working := frame["actor"].nunique()) < cores:
            print(f"\nray: {working} of {cores} actors had work", file=sys.stderr)
        end = max(path.stat().st_mtime for path in output.iterdir())
        return len(frame) / (end - frame["begun"].min())

    return rate


def by_mlflow(found: Promoted, files: Files, cores: int) -> Rate:
    """``mlflow.pyfunc`` over chunks of pandas."""
    import logging

    import mlflow.pyfunc
    import pandas as pd

    class Model(mlflow.pyfunc.PythonModel):
        def load_context(self, context) -> None:  # noqa: ANN001  # mlflow would make a signature of it
            self._answer = make_pipeline(context.artifacts["checkpoint"], context.model_config["length"])

        def predict(self, context, model_input, params=None):  # noqa: ANN001, ANN202
            return pd.DataFrame(self._answer(model_input["text"].tolist()), index=model_input.index)

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    saved = files.folder / "mlflow"
    mlflow.pyfunc.save_model(
        saved,
        python_model=Model(),
        artifacts={"checkpoint": str(found.checkpoint)},
        model_config={"length": found.length},
        pip_requirements=[],  # otherwise it loads the model in another process to find them
    )
    model = mlflow.pyfunc.load_model(str(saved))

    def rate(number: int) -> float:
        start = time.perf_counter()
        frame = pd.read_parquet(files.first(number))
        chunks = [frame.iloc[begin : begin + CHUNK] for begin in range(0, len(frame), CHUNK)]
        answers = pd.concat([model.predict(chunk) for chunk in chunks])
        pd.concat([frame, answers], axis="columns").to_parquet(files.folder / f"mlflow-{number}.parquet")
        return len(frame) / (time.perf_counter() - start)

    return rate


def alternatives(names: Sequence[str], found: Promoted, files: Files, cores: int) -> dict[str, Rate]:
    """Loads those that are installed."""
    makers = {"pipeline": by_pipeline, "ray": by_ray, "mlflow": by_mlflow}
    titles = {"pipeline": "transformers.pipeline", "ray": "pipeline, Ray Data", "mlflow": "pipeline, mlflow.pyfunc"}
    loaded: dict[str, Rate] = {}
    for name in names:
        try:
            loaded[titles[name]] = makers[name](found, files, cores)
        except ImportError as error:
            print(f"{name} is left out: {error}" + (" (make ray)" if name == "ray" else ""))
    return loaded


def warm(path: Path, threads: int) -> None:
    """Loads a classifier into this process."""
    global _classifier  # noqa: PLW0603  # a process has no other place between two calls
    _classifier = load(path, threads=threads)


def predict(texts: list[str]) -> int:
    """Scores texts in this process."""
    return len(_classifier.predict_proba(texts))


def in_process(path: Path, files: Files, processes: int, threads: int) -> Rate:
    """``Classifier.predict_proba`` without files, in warm processes that share the texts of a round."""
    import pyarrow.parquet as pq

    def rate(number: int) -> float:
        texts = pq.read_table(files.whole(number), columns=["text"])["text"].slice(0, IN_PROCESS).to_pylist()
        with ExitStack() as stack:
            pools = [stack.enter_context(another_process()) for _ in range(processes)]
            for loading in [pool.submit(warm, path, threads) for pool in pools]:
                loading.result()
            start = time.perf_counter()
            running = [pool.submit(predict, texts[n::processes]) for n, pool in enumerate(pools)]
            count = sum(part.result() for part in running)
            return count / (time.perf_counter() - start)

    return rate


def measure_shares(servable: Path, source: Path, folder: Path, cores: int) -> tuple[int, dict[str, float]]:
    """Seconds that one worker of several needs for each part of its work, and the rows of it."""
    import pyarrow as pa

    from sentiment.scoring.formats import as_input_file, open_table
    from sentiment.scoring.plan import make_plan, plan_file
    from sentiment.scoring.settings import ScoreSettings
    from sentiment.scoring.storage import Storage

    pa.set_cpu_count(1)
    classifier, settings, storage = load(servable), ScoreSettings(), Storage()
    file = as_input_file(str(source), settings)
    planned = plan_file(file, storage, settings)
    shards = make_plan([planned], settings).shards[::cores]  # other workers have the shards between
    table = open_table(file, storage, settings)

    def score(shard: Shard) -> list[float]:
        times = [time.perf_counter()]
        rows = table.read(shard.start, shard.row, shard.rows, planned.schema, "text")
        times.append(time.perf_counter())
        positive = classifier.predict_proba(list(map(str, rows.texts)))
        times.append(time.perf_counter())
        write_part(rows.table, positive.tolist(), folder / f"{shard.part}.parquet", settings)
        times.append(time.perf_counter())
        return [end - begin for begin, end in pairwise(times)]

    score(shards[0])  # imports what it needs
    chosen = shards[: max(1, SHARE_ROWS // shards[0].rows)]
    seconds = [sum(parts) for parts in zip(*map(score, chosen), strict=True)]
    return sum(shard.rows for shard in chosen), dict(zip(("reading", "the model", "writing"), seconds, strict=True))


def write_part(table, positive: list[float], path: Path, settings: ScoreSettings) -> None:  # noqa: ANN001
    """Writes rows with five more columns, as a job does."""
    import pyarrow as pa

    from sentiment.scoring.outputs import encode
    from sentiment.scoring.storage import Storage

    values = [("positive" if p > 0.5 else "negative", max(p, 1 - p), p, max(p, 1 - p) < 0.6, "0") for p in positive]
    for name, column in zip(settings.columns.names, zip(*values, strict=True), strict=True):
        table = table.append_column(name, pa.array(column))
    Storage().put(str(path), encode(table, "parquet"))


def take_turns(contenders: dict[str, Rate], rounds: int) -> dict[str, list[float]]:
    """Reviews per second of each contender in each round."""
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name, rate in contenders.items():
            print(f"\rround {number + 1}: {name}".ljust(60), end="", file=sys.stderr, flush=True)
            rates[name].append(rate(number))
    print("\r".ljust(60), file=sys.stderr)
    return rates


def median_ratio(first: Sequence[float], second: Sequence[float]) -> float:
    """Median of the rounds' ratios."""
    return statistics.median(a / b for a, b in zip(first, second, strict=True))


def print_table(rates: dict[str, list[float]], sizes: dict[str, int]) -> None:
    """Prints all contenders; the first one is what the others are compared with."""
    from rich.console import Console
    from rich.table import Table

    first = next(iter(rates))
    table = Table("contender", "reviews a round", "reviews/s", f"{first} is faster by", "round by round")
    for name, found in rates.items():
        each = ", ".join(f"{rate:,.1f}" for rate in found)
        ratio = median_ratio(rates[first], found)
        table.add_row(name, f"{sizes[name]:,}", f"{statistics.median(found):,.1f}", f"{ratio:.2f}x", each)
    Console(width=120).print(table)


def print_shares(ours: dict[str, Path], files: Files, cores: int) -> None:
    """Prints what part of the time of a worker reading and writing take."""
    for name, servable in ours.items():
        with another_process() as process:
            count, seconds = process.submit(measure_shares, servable, files.whole(0), files.folder, cores).result()
        shares = ", ".join(f"{part} {100 * value / sum(seconds.values()):.1f}%" for part, value in seconds.items())
        print(f"{name}, time of a worker on {count:,} rows: {shares}")


def compare(found: Promoted, files: Files, options: argparse.Namespace, cores: int) -> None:
    """Lets all take turns, and prints everything."""
    ours = {"score (cascade)": found.servable, "score (linear alone)": found.servable / "linear"}
    jobs = {name: Job(path, files) for name, path in ours.items()}
    others = alternatives(options.alternatives, found, files, cores)
    inside = {
        f"1 process, {cores} threads": in_process(found.servable, files, 1, cores),
        f"{cores} processes, 1 thread": in_process(found.servable, files, cores, 1),
    }
    rates = take_turns({name: job.rate for name, job in jobs.items()} | others | inside, options.rounds)
    sizes = dict.fromkeys(jobs, options.reviews // options.rounds) | dict.fromkeys(others, files.head)
    print_table({name: rates[name] for name in sizes}, sizes)
    print_shares(ours, files, cores)
    cascade, scoring = rates["score (cascade)"], jobs["score (cascade)"].scoring
    for name in inside:
        speed = statistics.median(rates[name])
        whole, part = median_ratio(cascade, rates[name]), median_ratio(scoring, rates[name])
        print(
            f"cascade in process, {name}: {speed:,.0f} reviews/s; the job runs at {whole:.2f} of that, "
            f"without its start at {part:.2f}"
        )
    for name, job in jobs.items():
        print(f"{name}, peak memory of all its processes: {job.memory / 1e6:,.0f} MB")


def main() -> None:
    """Prints the table, and what explains it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reviews", type=int, default=200_000, help="that each of our jobs scores in all rounds")
    parser.add_argument("--alternative-reviews", type=int, default=400, help="that an alternative scores in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--alternatives", nargs="*", choices=ALTERNATIVES, default=ALTERNATIVES)
    parser.add_argument("--stack", default="local")
    options = parser.parse_args()
    if options.reviews < options.rounds:
        parser.error("a round needs a review")
    from joblib import cpu_count

    from sentiment.models import Classifier
    from sentiment.models.engines.processor import instructions

    found, cores = promoted(options.stack), cpu_count()
    with tempfile.TemporaryDirectory() as temporary:
        files = Files(Path(temporary), min(options.alternative_reviews, options.reviews // options.rounds))
        files.write(read_texts(found.texts), options.reviews, options.rounds)
        engine = Classifier.load(found.servable).engine
        print(f"{cores} cores ({', '.join(instructions())}); {engine}; {found.length} tokens are read")
        compare(found, files, options, cores)


if __name__ == "__main__":
    main()
