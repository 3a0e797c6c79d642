"""Rows per second of bulk scoring on a Ray cluster of one node and of two, each with one core, on this machine.

Both clusters score the same file with the promoted cascade (``make train``), in turns; a ratio is the median of the
rounds' ratios. Planning and the start of the actors do not count. The head has no core of its own; with two cores in
all, Ray's own processes take part of the second one. Run: ``python -m benchmarks.ray_nodes`` after ``make ray``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

from benchmarks.promoted import promoted


def rate(nodes: int, servable: Path, source: Path, output: Path) -> float:
    """Scores the file on a new cluster; returns rows/s between the first finished shard and the last one."""
    import ray
    from ray.cluster_utils import Cluster

    from sentiment import progress
    from sentiment.imports import ROOT
    from sentiment.models.servable import Servable
    from sentiment.scoring.job import Target, prepare_folder, run_job
    from sentiment.scoring.scorer import Scorer
    from sentiment.scoring.settings import ScoreSettings
    from sentiment.scoring.storage import Storage
    from sentiment.scoring.workers import open_workers

    seen: list[tuple[float, float]] = []

    def listen(task: str, done: float, total: float, **figures: float) -> None:
        if task == "score":
            seen.append((time.perf_counter(), done))

    settings = ScoreSettings(input=str(source), output=str(output), engine="ray", workers=nodes)
    storage, target = Storage(), Target.of(str(output), None)
    prepare_folder(target, storage, restart=False)
    make = partial(
        Scorer, model_version="0", folder=target.folder, form=target.form, settings=settings, storage=storage
    )
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    for _ in range(nodes):
        cluster.add_node(num_cpus=1)
    environment = {"env_vars": {"PYTHONPATH": str(ROOT)}}
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR", runtime_env=environment)
    try:
        with progress.listening(listen), open_workers(make, servable, settings) as workers:
            run_job(str(source), target, ("benchmark", "0", Servable(servable).fingerprint), settings, storage, workers)
    finally:
        ray.shutdown()
        cluster.shutdown()
    (start, before), (end, after) = seen[nodes - 1], seen[-1]  # every actor has finished its first shard by then
    return (after - before) / (end - start)


def main() -> None:
    """Prints both speeds and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reviews", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stack", default="local")
    options = parser.parse_args()
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import pyarrow as pa
    import pyarrow.parquet as pq

    from benchmarks.scoring import read_texts

    found = promoted(options.stack)
    rates: dict[int, list[float]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "reviews.parquet")
        pq.write_table(pa.table({"text": read_texts(found.texts)[: options.reviews]}), source)
        for number in range(options.rounds):
            for nodes, speeds in rates.items():
                speeds.append(rate(nodes, found.servable, source, Path(folder, f"scored-{number}-{nodes}")))
    for nodes, speeds in rates.items():
        each = ", ".join(f"{speed:,.0f}" for speed in speeds)
        print(f"{nodes} node(s) of one core: {statistics.median(speeds):,.0f} rows/s ({each})")
    print(f"two against one: {statistics.median(b / a for a, b in zip(rates[1], rates[2], strict=True)):.2f}x")


if __name__ == "__main__":
    main()
