"""A run that is killed and started again ends with the weights of an uninterrupted run."""

import os
import signal
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

from sentiment.models.recovery import newest_usable, prune, seal
from tests.helpers import tiny_transformer as tiny
from tests.helpers.loopback import until
from tests.helpers.tiny_transformer import run


def weights(work_dir: Path) -> dict[str, torch.Tensor]:
    return load_file(next(work_dir.glob("*/checkpoint/model.safetensors")))


def states(work_dir: Path) -> list[str]:
    return sorted(path.parent.name for path in work_dir.glob("*/checkpoint-*/complete.json"))


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return tiny.save_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def uninterrupted(encoder, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp("uninterrupted")
    assert run(encoder, work_dir).code == 0
    return weights(work_dir)


def assert_same(one, other):
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.slow
def test_killed_between_two_states(encoder, uninterrupted, tmp_path):
    """Killed twice: at step 10, when the state of step 8 is the last, and in the resumed run at step 20."""
    assert run(encoder, tmp_path, "report", 10).code == -signal.SIGKILL
    assert "checkpoint-8" in states(tmp_path)
    assert run(encoder, tmp_path, "report", 20).code == -signal.SIGKILL
    assert run(encoder, tmp_path).code == 0
    assert_same(weights(tmp_path), uninterrupted)


@pytest.mark.slow
def test_killed_while_a_state_is_written(encoder, uninterrupted, tmp_path):
    assert run(encoder, tmp_path, "write", 12).code == -signal.SIGKILL
    half = next(tmp_path.glob("*/checkpoint-12"))
    assert (half / "optimizer.pt").read_bytes() == b"half a state"
    assert run(encoder, tmp_path).code == 0
    assert_same(weights(tmp_path), uninterrupted)


@pytest.mark.slow
def test_of_two_at_once_the_second_waits_and_finds_the_checkpoint(encoder, uninterrupted, tmp_path):
    first = run(encoder, tmp_path, "pause", 10)
    try:
        until(lambda: psutil.Process(first.process.pid).status() == psutil.STATUS_STOPPED)  # in the middle of it
        second = run(encoder, tmp_path)
        until(lambda: second.out.startswith("waiting for another process"))
        os.kill(first.process.pid, signal.SIGCONT)
        assert first.code == 0, first.err
        assert second.code == 0, second.err
        assert len(second.out.splitlines()) == 1  # it did not train
    finally:
        first.process.kill()
    assert_same(weights(tmp_path), uninterrupted)


@pytest.mark.slow
def test_a_damaged_state_is_passed_over(encoder, uninterrupted, tmp_path):
    assert run(encoder, tmp_path, "write", 16).code == -signal.SIGKILL
    newest = next(tmp_path.glob("*/checkpoint-12")) / "optimizer.pt"
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 0xFF
    newest.write_bytes(content)
    assert run(encoder, tmp_path).code == 0
    assert_same(weights(tmp_path), uninterrupted)


@pytest.mark.slow
def test_a_full_disk_is_one_clear_line_and_loses_nothing(encoder, uninterrupted, tmp_path):
    full = run(encoder, tmp_path, "full", 12)
    assert full.code == 1
    assert "cannot be written" in full.err.splitlines()[-1]
    assert "resumes from its last complete state" in full.err.splitlines()[-1]
    assert "checkpoint-10" in states(tmp_path)
    assert run(encoder, tmp_path).code == 0
    assert_same(weights(tmp_path), uninterrupted)


def saved_state(run_dir: Path, step: int, best: int | None = None, sealed: bool = True) -> Path:
    folder = run_dir / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights %d" % step)
    (folder / "trainer_state.json").write_text(f'{{"best_global_step": {best or "null"}}}')
    if sealed:
        seal(folder, seconds=step)
    return folder


def test_only_sealed_states_are_used(tmp_path):
    older, newer = saved_state(tmp_path, 9), saved_state(tmp_path, 10, sealed=False)
    assert newest_usable(tmp_path) == older
    assert not newer.exists()


@pytest.mark.parametrize("damage", [b"Weights 10", b"weights"])
def test_a_state_whose_content_changed_is_not_used(tmp_path, damage):
    older, newer = saved_state(tmp_path, 9), saved_state(tmp_path, 10)
    assert newest_usable(tmp_path) == newer
    (newer / "model.safetensors").write_bytes(damage)
    assert newest_usable(tmp_path) == older


def test_a_state_whose_best_state_is_lost_is_not_used(tmp_path):
    best, newest = saved_state(tmp_path, 10, best=10), saved_state(tmp_path, 20, best=10)
    assert newest_usable(tmp_path) == newest
    (best / "model.safetensors").unlink()
    assert newest_usable(tmp_path) is None


def test_two_states_and_the_best_are_kept(tmp_path):
    for step in (10, 20, 30, 40):
        saved_state(tmp_path, step, best=10)
    prune(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-10", "checkpoint-30", "checkpoint-40"]
