"""The workers of a job: processes of this machine, or actors of a Ray cluster, give the same files."""

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pandas as pd
import psutil
import pytest

from sentiment import progress
from sentiment.errors import UserError
from sentiment.models import Classifier
from sentiment.scoring.storage import Storage
from tests.helpers import scoring
from tests.helpers.command_line import ROOT

pytestmark = pytest.mark.slow
ROWS = scoring.rows(3000)
MAX_MEMORY_MB = 1000


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("source")
    for number in range(3):
        part = ROWS[number * 1000 : (number + 1) * 1000]
        part.assign(text=part["text"].where(part["id"] % 97 > 0)).to_parquet(path / f"{number}.parquet")
    return path


@pytest.fixture(scope="module")
def expected(cascade, source, tmp_path_factory):
    """The files of a job in one process."""
    output = tmp_path_factory.mktemp("expected") / "out"
    scoring.score(cascade, source, output, shard_rows=100)
    return scoring.contents(output)


def test_processes_score_as_the_classifier_does(cascade, source, expected, tmp_path):
    seen = []
    with progress.listening(lambda task, done, total, **figures: seen.append((task, done, total, set(figures)))):
        scoring.score(cascade, source, tmp_path / "out", shard_rows=100, on="workers", workers=2)
    assert scoring.contents(tmp_path / "out") == expected
    found = scoring.read_parts(tmp_path / "out")
    positive = Classifier.load(cascade.path).predict_proba(found["text"].tolist())
    np.testing.assert_allclose(found["positive"], positive, atol=0.02)  # in other company
    assert seen[-1] == ("score", 3000, 3000, {"rows/s"})
    assert [done for task, done, *_ in seen if task == "score"] == [*range(100, 3001, 100)]


class Memory(threading.Thread):
    """Measures the largest memory of a process and its children: pages that several share count once."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.most_mb = process, 0.0

    def run(self):
        while self.process.poll() is None:
            found = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
            held = 0
            for one in found:
                try:
                    held += one.memory_full_info().pss
                except psutil.Error:
                    continue
            self.most_mb = max(self.most_mb, held / 1e6)
            time.sleep(0.2)


@pytest.mark.parametrize("name", ["one-row-group.parquet", "a.csv"])
def test_an_input_larger_than_the_memory_needs_little(linear, tmp_path, name):
    """Of a thousand megabytes: one row group of Parquet, and CSV."""
    rows, size = 100_000, 10_500
    filler = os.urandom(size // 2).hex()
    texts = [f"a lovely film, number {i}" for i in range(rows)]
    if name.endswith("csv"):
        with (tmp_path / name).open("w") as file:
            file.write("text,filler\n")
            file.writelines(f'"{text}",{filler}\n' for text in texts)
    else:
        noise = np.random.default_rng(0).bytes(rows * size)
        values = [noise[i * size : (i + 1) * size] for i in range(rows)]
        pd.DataFrame({"text": texts, "filler": values}).to_parquet(tmp_path / name, row_group_size=rows)
        del noise, values
    assert (tmp_path / name).stat().st_size > 1e6 * MAX_MEMORY_MB
    work = f"""
from pathlib import Path
from sentiment.models.servable import Servable
from tests.helpers import scoring
if __name__ == "__main__":
    done = scoring.score(Servable(Path({str(linear.path)!r})), {str(tmp_path / name)!r}, {str(tmp_path / "out")!r},
                         on="workers", workers=2)
    assert done.manifest.scored == {rows}
"""
    (tmp_path / "work.py").write_text(work)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, str(tmp_path / "work.py")], env=environment, cwd=ROOT)
    memory = Memory(process)
    memory.start()
    assert process.wait() == 0
    memory.join()
    assert memory.most_mb < MAX_MEMORY_MB


@pytest.fixture(scope="module")
def cluster():
    """A Ray cluster of two nodes on this machine."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: make ray")
    from ray.cluster_utils import Cluster

    def start(attempts):
        """Ray gives a node 30 s, which a busy machine may need for the first one: its files are cached then."""
        cluster = Cluster()
        try:
            cluster.add_node(num_cpus=1)
            cluster.add_node(num_cpus=2)
        except Exception:
            cluster.shutdown()
            if attempts == 1:
                raise
            return start(attempts - 1)
        return cluster

    cluster = start(3)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR",
             runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}})  # fmt: skip
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def test_ray_gives_the_same_files_though_an_actor_is_killed_and_a_node_lost(cluster, cascade, bucket, source):
    """From a bucket to a bucket, compared with one process on this machine."""
    storage, node, killed = Storage(bucket.options()), cluster.add_node(num_cpus=1), []
    for path in source.iterdir():
        storage.put(f"{bucket.url}/ray/{path.name}", path.read_bytes())

    def kill(task, done, total, **figures):
        if task == "score" and done > 600 and not killed:
            found = psutil.process_iter(["cmdline"])
            killed.extend(process for process in found if "ray::MapWorker" in " ".join(process.info["cmdline"] or []))
            killed[0].kill()
            cluster.remove_node(node, allow_graceful=False)

    settings = {"shard_rows": 100, "storage": storage}
    here = scoring.score(cascade, f"{bucket.url}/ray", f"{bucket.url}/local", **settings)
    with progress.listening(kill):
        there = scoring.score(
            cascade, f"{bucket.url}/ray", f"{bucket.url}/on-ray", **settings, on="workers", engine="ray", workers=3
        )
    assert killed
    assert there.manifest == here.manifest
    assert scoring.contents(bucket.folder / "on-ray") == scoring.contents(bucket.folder / "local")


def test_a_fault_on_ray_is_one_line(cluster, cascade, source, tmp_path):
    (tmp_path / "a.csv").write_text('text\n"never closed\n')
    with pytest.raises(UserError, match="not CSV at byte 5"):
        scoring.score(cascade, tmp_path / "a.csv", tmp_path / "out", on="workers", engine="ray")
