"""A run that dies and is started again ends with the weights of a run that never died."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_transformer as tiny
import torch
from safetensors.torch import load_file

from sentiment.models.recovery import newest_usable, prune, seal

ROOT = Path(__file__).resolve().parents[3]


def start(encoder: Path, work_dir: Path, death: str = "never", step: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, tiny.__file__, str(encoder), str(work_dir), death, str(step)]
    return subprocess.Popen(
        command, env={"PYTHONPATH": str(ROOT), "HOME": str(work_dir), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def run(encoder: Path, work_dir: Path, death: str = "never", step: int = 0) -> subprocess.CompletedProcess[str]:
    process = start(encoder, work_dir, death, step)
    out, err = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


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
    assert run(encoder, work_dir).returncode == 0
    return weights(work_dir)


def assert_same(one, other):
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.slow
def test_killed_between_two_states(encoder, uninterrupted, tmp_path):
    """Killed twice: at step 10, when the state of step 8 is the last, and in the resumed run at step 20."""
    assert run(encoder, tmp_path, "report", 10).returncode == -signal.SIGKILL
    assert "checkpoint-8" in states(tmp_path)
    assert run(encoder, tmp_path, "report", 20).returncode == -signal.SIGKILL
    assert run(encoder, tmp_path).returncode == 0
    assert_same(weights(tmp_path), uninterrupted)


@pytest.mark.slow
def test_killed_while_a_state_is_written(encoder, uninterrupted, tmp_path):
    assert run(encoder, tmp_path, "write", 12).returncode == -signal.SIGKILL
    half = next(tmp_path.glob("*/checkpoint-12"))
    assert (half / "optimizer.pt").read_bytes() == b"half a state"
    assert run(encoder, tmp_path).returncode == 0
    assert_same(weights(tmp_path), uninterrupted)


@pytest.mark.slow
def test_of_two_at_once_the_second_waits_and_finds_the_checkpoint(encoder, uninterrupted, tmp_path):
    first = start(encoder, tmp_path, "pause", 10)
    os.waitpid(first.pid, os.WUNTRACED)  # it has stopped in the middle of its training
    second = start(encoder, tmp_path)
    try:
        assert second.stdout.readline().startswith("waiting for another process")
        first.send_signal(signal.SIGCONT)
        assert first.wait() == 0, first.stderr.read()
        assert second.communicate()[0] == ""  # it did not train
        assert second.returncode == 0
    finally:
        first.kill()
        second.kill()
    assert_same(weights(tmp_path), uninterrupted)


@pytest.mark.slow
def test_a_damaged_state_is_passed_over(encoder, uninterrupted, tmp_path):
    assert run(encoder, tmp_path, "write", 16).returncode == -signal.SIGKILL
    newest = next(tmp_path.glob("*/checkpoint-12")) / "optimizer.pt"
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 0xFF
    newest.write_bytes(content)
    assert run(encoder, tmp_path).returncode == 0
    assert_same(weights(tmp_path), uninterrupted)


@pytest.mark.slow
def test_a_full_disk_is_one_clear_line_and_loses_nothing(encoder, uninterrupted, tmp_path):
    full = run(encoder, tmp_path, "full", 12)
    assert full.returncode == 1
    assert "cannot be written" in full.stderr.splitlines()[-1]
    assert "resumes from its last complete state" in full.stderr.splitlines()[-1]
    assert "checkpoint-10" in states(tmp_path)
    assert run(encoder, tmp_path).returncode == 0
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
