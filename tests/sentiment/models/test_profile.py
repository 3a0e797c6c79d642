"""A profiled training says where a step goes, and trains the same weights."""

import gzip
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from materializers.checkpoint import CheckpointMaterializer
from sentiment.models import profiler
from sentiment.models.profiler import ACTIVE_STEPS, LISTED, REST, WARMUP_STEPS, choose_start, rank_operations
from sentiment.models.step_profile import PROFILE, TRACE, StepProfile
from sentiment.models.transformer import train_transformer
from sentiment.pages.training import training_page
from tests.helpers import tiny_lstm
from tests.helpers import tiny_transformer as tiny


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return tiny.save_encoder(tmp_path_factory.mktemp("encoder"))


def train(encoder, work_dir, **changes):
    settings = tiny.recipe(encoder, save_steps=100, evaluations=1, **changes)
    return train_transformer(tiny.reviews(160, 1), tiny.reviews(40, 2), settings, seed=7, work_dir=work_dir)


@pytest.fixture(scope="module")
def profiled(encoder, tmp_path_factory):
    return train(encoder, tmp_path_factory.mktemp("profiled"), profile=True)


@pytest.fixture(scope="module")
def plain(encoder, tmp_path_factory):
    return train(encoder, tmp_path_factory.mktemp("plain"))


@pytest.mark.slow
def test_the_table_holds_the_parts_of_a_step_and_its_slowest_operations(profiled):
    found = StepProfile.read(profiled.path)
    assert (found.first_step, found.steps) == (8 + WARMUP_STEPS + 1, ACTIVE_STEPS)  # of 20
    parts = {part.name: part for part in found.parts}
    assert list(parts) == ["data", "forward", "backward", "optimiser", REST]
    assert all(parts[name].ms > 0 for name in ("data", "forward", "backward", "optimiser"))
    assert sum(part.ms for part in found.parts) == pytest.approx(found.step_ms)
    assert sum(part.share for part in found.parts) == pytest.approx(1)
    *listed, rest = found.operations
    assert len(listed) == LISTED
    assert rest.name == REST
    assert sum(operation.cpu_share for operation in found.operations) == pytest.approx(1)
    assert [operation.cpu_ms for operation in listed] == sorted((o.cpu_ms for o in listed), reverse=True)
    assert any(operation.name.startswith("aten::") for operation in listed)


def event(name, cpu, calls, gpu=0):
    return SimpleNamespace(key=name, self_cpu_time_total=cpu, self_device_time_total=gpu, count=calls)


def test_operations_are_means_over_the_steps_and_the_slowest_come_first():
    events = [event(f"small{i}", 100, 1) for i in range(LISTED)]
    events += [event("large", 8500, 20), event("forward", 9999, 10), event("ProfilerStep*", 9999, 10)]
    found = rank_operations(events, steps=10)
    assert [operation.name for operation in found] == ["large", *(f"small{i}" for i in range(LISTED - 1)), REST]
    assert (found[0].cpu_share, found[0].cpu_ms, found[0].calls) == (0.85, 0.85, 2)
    assert (found[0].cuda_share, found[0].cuda_ms) == (None, None)
    assert (found[-1].cpu_share, found[-1].calls) == (0.01, 0.1)


def test_with_a_gpu_its_time_decides_the_order():
    found = rank_operations([event("launch", 300, 1), event("kernel", 100, 1, gpu=4000)], steps=2)
    assert [(operation.name, operation.cuda_share, operation.cuda_ms) for operation in found] == [
        ("kernel", 1, 2), ("launch", 0, 0)
    ]  # fmt: skip


@pytest.mark.slow
def test_the_trace_holds_the_steps_with_their_parts(profiled):
    with gzip.open(profiled.path / TRACE) as file:
        names = [event.get("name") for event in json.load(file)["traceEvents"]]
    for part in ("forward", "backward", "optimiser"):
        assert names.count(part) >= ACTIVE_STEPS


@pytest.mark.slow
def test_profiling_changes_no_weight(profiled, plain):
    one, other = (load_file(checkpoint.path / "model.safetensors") for checkpoint in (profiled, plain))
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.slow
def test_nothing_is_recorded_or_written_when_it_is_off(plain, encoder, tmp_path, monkeypatch):
    assert not {PROFILE, TRACE} & {file.name for file in plain.path.iterdir()}
    assert StepProfile.read(plain.path) is None
    assert "Where a training step goes" not in training_page(plain.report, None)
    monkeypatch.setattr(profiler, "Profiler", None)
    assert train(encoder, tmp_path).report.steps == 20


@pytest.mark.slow
def test_it_is_another_run_only_when_it_is_on(profiled, plain, encoder, monkeypatch):
    monkeypatch.setattr("sentiment.models.training._train", None)  # finished runs are found
    assert train(encoder, profiled.path.parents[1], profile=True) == profiled
    assert train(encoder, plain.path.parents[1]) == plain
    assert profiled.path.parent.name != plain.path.parent.name


@pytest.mark.slow
def test_a_run_killed_before_its_checkpoint_is_complete_keeps_its_profile(encoder, tmp_path, monkeypatch):
    class KilledError(BaseException):
        pass

    rename = Path.rename

    def die(path, target):
        if path.name == "checkpoint.partial":
            raise KilledError
        return rename(path, target)

    with monkeypatch.context() as patched, pytest.raises(KilledError):
        patched.setattr(Path, "rename", die)
        train(encoder, tmp_path, profile=True)
    checkpoint = train(encoder, tmp_path, profile=True)
    assert StepProfile.read(checkpoint.path).steps == ACTIVE_STEPS
    assert (checkpoint.path / TRACE).is_file()
    assert {file.name for file in checkpoint.path.parent.iterdir()} == {"checkpoint", "lock"}


@pytest.mark.slow
@pytest.mark.parametrize("failing", [TRACE, PROFILE])
def test_a_full_disk_costs_the_profile_and_not_the_training(failing, plain, encoder, tmp_path, monkeypatch, caplog):
    def fill(path):
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    if failing == TRACE:
        monkeypatch.setattr(profiler.profile, "export_chrome_trace", lambda _, path: fill(path))
    else:
        monkeypatch.setattr(profiler, "StepProfile", lambda **_: SimpleNamespace(model_dump_json=lambda **_: fill(
            next(tmp_path.iterdir()) / profiler.PARTIAL
        )))  # fmt: skip
    checkpoint = train(encoder, tmp_path, profile=True)
    assert checkpoint.report.steps == plain.report.steps
    assert {file.name for file in checkpoint.path.iterdir()} == {file.name for file in plain.path.iterdir()}
    assert {file.name for file in checkpoint.path.parent.iterdir()} == {"checkpoint", "lock"}
    (warning,) = [record.getMessage() for record in caplog.records if record.name == profiler.__name__]
    assert "goes on without it" in warning
    assert "No space left on device" in warning


@pytest.mark.slow
def test_the_page_of_the_checkpoint_shows_the_table_and_how_to_open_the_trace(profiled, tmp_path):
    page = CheckpointMaterializer(uri=str(tmp_path)).page(profiled)
    assert "Where a training step goes" in page
    assert "<td" in page
    slowest = StepProfile.read(profiled.path).operations[0].name
    for words in ("optimiser", slowest, TRACE, "ui.perfetto.dev"):
        assert words in page
    assert "share of GPU time" not in page
    assert "<script" not in page


@pytest.mark.slow
def test_an_lstm_is_profiled_too(encoder, tmp_path):
    found = StepProfile.read(tiny_lstm.train(encoder, tmp_path, profile=True, epochs=1).path)
    assert any("rnn_layer" in operation.name or "lstm" in operation.name for operation in found.operations)


@pytest.mark.parametrize(
    ("step", "max_steps", "intervals", "start"),
    [
        (0, 1000, (200, 1000), 500),
        (0, 1000, (100, 1000), 500),  # the state after step 500 is written before the first of the steps
        (0, 1010, (100, 505), 505),
        (0, 1020, (100, 511), 511),  # nothing of the evaluation after step 511
        (0, 1196, (100, 1196), 600),  # 598 would have the state after step 600 in it
        (800, 1000, (100, 1000), 800),  # goes on later
        (0, 20, (4, 10), 8),  # too many states to avoid them
        (995, 1000, (100, 1000), 995),
        (0, 5, (100, 5), 0),
    ],
)
def test_steps_in_the_middle_of_the_run_are_chosen_between_its_pauses(step, max_steps, intervals, start):
    assert choose_start(step, max_steps, intervals) == start
