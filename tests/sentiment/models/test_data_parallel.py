"""Two processes train one model: each on its part of every batch, to the weights that one process reaches."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

import psutil
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_model

from sentiment.errors import UserError
from sentiment.models import data_parallel, training, transformer
from sentiment.models.checkpoint import TransformerSettings
from sentiment.models.data_parallel import run_together
from sentiment.progress import listening, report
from tests.helpers import forked
from tests.helpers import tiny_transformer as tiny
from tests.helpers.loopback import until

TRAIN = training._train


@pytest.fixture(autouse=True, scope="module")
def forked_quickly():
    """Saves every process ten seconds of imports; tests/pipelines/test_num_processes.py starts them as users do."""
    with patch.object(data_parallel, "START_METHOD", "forkserver"):
        yield


@pytest.fixture(autouse=True, scope="module")
def server(tmp_path_factory):
    assert forked.start(int, folder=tmp_path_factory.mktemp("server")).code == 0


def children() -> set[int]:
    return {process.pid for process in psutil.Process().children(recursive=True)}


def rank() -> int:
    return int(os.environ.get("RANK", "0"))


def watched(folder: Path, *arguments, **named) -> None:
    """Trains, and records the rows of every batch and the final weights; runs in each of the processes."""
    network, models, batches = named.pop("network"), [], []

    def load_watched(*given):
        model, tokenizer = network.load(*given)
        model.register_forward_pre_hook(watch, with_kwargs=True)
        models.append(model)
        return model, tokenizer

    def watch(model, _, inputs):
        if model.training:
            rows = zip(inputs["input_ids"], inputs["attention_mask"].bool(), strict=True)
            batches.append([ids[mask].tolist() for ids, mask in rows])

    TRAIN(*arguments, network=replace(network, load=load_watched), **named)
    (folder / f"{rank()}.json").write_text(json.dumps(batches))
    save_model(models[0], str(folder / f"{rank()}.safetensors"))


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return tiny.save_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def train(encoder, tmp_path_factory):
    """Trains in this many processes; returns the checkpoint, and the folder with their records."""

    def train(count: int):
        folder = tmp_path_factory.mktemp("seen")
        settings = tiny.recipe(encoder, num_processes=count, dropout=0)
        with patch.object(training, "_train", partial(watched, folder)):
            checkpoint = transformer.train_transformer(
                tiny.reviews(160, 1), tiny.reviews(40, 2), settings, seed=7, work_dir=folder
            )
        return checkpoint, folder

    return train


@pytest.fixture(scope="module")
def together(train):
    return train(2)


@pytest.fixture(scope="module")
def alone(train):
    return train(1)


@pytest.mark.slow
def test_the_processes_divide_every_batch_of_the_one(together, alone):
    (batches,) = [json.loads(file.read_text()) for file in alone[1].glob("*.json")]
    first, second = (json.loads((together[1] / f"{i}.json").read_text()) for i in range(2))
    assert len(batches) == len(first) == len(second) == together[0].report.steps == 20
    assert {len(part) for part in first + second} == {4}
    assert [one + other for one, other in zip(first, second, strict=True)] == batches
    assert all(one != other for one, other in zip(first, second, strict=True))


@pytest.mark.slow
def test_they_end_with_the_same_weights_which_are_those_of_one_process(together, alone, encoder):
    first, second = (load_file(together[1] / f"{i}.safetensors") for i in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    expected = load_file(alone[1] / "0.safetensors")
    # a key's bias shifts all attention scores equally, which changes nothing: its gradient is rounding error
    compared = [name for name in expected if not name.endswith("key.bias")]
    assert max((first[name] - expected[name]).abs().max().item() for name in compared) < 1e-5
    start = load_file(encoder / "model.safetensors")["encoder.layer.0.output.dense.weight"]
    assert (first["bert.encoder.layer.0.output.dense.weight"] - start).abs().max() > 1e-3


@pytest.mark.slow
def test_they_are_evaluated_as_one(together, alone):
    one, other = together[0].report, alone[0].report
    assert (one.best_step, one.examples, one.tokens) == (other.best_step, other.examples, other.tokens)
    assert one.validation_accuracy == other.validation_accuracy
    assert one.validation_loss == pytest.approx(other.validation_loss, abs=1e-6)


@pytest.mark.slow
def test_one_that_is_killed_ends_all_and_the_run_resumes_to_the_same_weights(encoder, tmp_path):
    seen = children()

    def train(name: str):
        (tmp_path / name).mkdir(exist_ok=True)
        settings = tiny.recipe(encoder, num_processes=2)
        checkpoint = transformer.train_transformer(
            tiny.reviews(160, 1), tiny.reviews(40, 2), settings, seed=7, work_dir=tmp_path / name
        )
        return load_file(checkpoint.path / "model.safetensors")

    def kill_one(task: str, done: float, *_, **__):
        if done >= 10 and not workers:
            workers.extend(sorted(children() - seen))
            os.kill(workers[-1], signal.SIGKILL)

    uninterrupted, workers = train("uninterrupted"), []
    with (
        listening(kill_one),
        pytest.raises(UserError, match=r"^transformer\.num_processes: training process 1 was killed by SIGKILL"),
    ):
        train("killed")
    assert len(workers) == 2
    assert children() == seen
    resumed = train("killed")
    assert all(torch.equal(uninterrupted[name], resumed[name]) for name in resumed)


def linger(folder: Path) -> None:
    (folder / str(os.getpid())).touch()
    time.sleep(600)


@pytest.mark.slow
def test_none_is_left_when_the_one_that_waits_for_them_is_killed(tmp_path):
    script = (
        "import sys; from functools import partial; from pathlib import Path; "
        "from tests.sentiment.models.test_data_parallel import linger; "
        "from sentiment.models.data_parallel import run_together; run_together(partial(linger, Path(sys.argv[1])), 2)"
    )
    waiting = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    try:
        until(lambda: len(list(tmp_path.iterdir())) == 2)
    finally:
        waiting.kill()
        waiting.wait()
    workers = [int(file.name) for file in tmp_path.iterdir()]
    until(lambda: not any(psutil.pid_exists(pid) for pid in workers))


def fail(error: Exception) -> None:
    """The second process fails; the first waits for it."""
    if rank() == 1:
        raise error
    torch.distributed.barrier()


def complain() -> None:
    """The first fails because it lost the second, which takes a while to end."""
    if rank() == 0:
        raise RuntimeError("Connection closed by peer")
    time.sleep(1.5)
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_the_killed_process_is_named_though_a_peer_fails_first():
    with pytest.raises(UserError, match="training process 1 was killed by SIGKILL"):
        run_together(complain, 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (UserError("is full", where="/disk", remedy="Free some space"), "/disk: is full. Free some space"),
        (ValueError("no such\nthing"), "training process 1 failed (ValueError: no such). Run the same again"),
    ],
)
def test_a_failure_is_one_clear_line_and_ends_all(error, words):
    before = children()
    with pytest.raises(UserError) as caught:
        run_together(partial(fail, error), 2)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert children() == before


def report_rank() -> None:
    report("work", rank(), torch.distributed.get_world_size(), threads=torch.get_num_threads())


@pytest.mark.slow
def test_the_first_reports_and_all_share_the_threads():
    reports, threads = [], torch.get_num_threads()
    with listening(lambda *given, **figures: reports.append((*given, figures))):
        run_together(report_rank, 2)
    assert reports == [("work", 0, 2, {"threads": max(1, threads // 2)})]


def test_more_processes_than_gpus_are_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UserError, match="2 processes need as many GPUs, and there are 1"):
        run_together(report_rank, 2)


def test_a_batch_that_cannot_be_shared_is_refused():
    with pytest.raises(ValidationError, match=r"3 processes cannot share batches of 32 \(batch_size\) equally"):
        TransformerSettings(num_processes=3)


def test_one_process_is_this_one(monkeypatch, encoder, tmp_path):
    monkeypatch.setattr(training, "run_together", None)
    ran = []
    monkeypatch.setattr(training, "_train", lambda *_, **__: ran.append(os.getpid()))
    with pytest.raises(FileNotFoundError):  # nothing was trained
        transformer.train_transformer(
            tiny.reviews(40, 1), tiny.reviews(40, 2), tiny.recipe(encoder), seed=7, work_dir=tmp_path
        )
    assert ran == [os.getpid()]
