"""A step is not served from cache when code that it runs has changed."""

from importlib import import_module
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
CACHED = sorted(file for file in (ROOT / "steps").rglob("*.py") if "cache_policy=depends_on(" in file.read_text())
# What is below a step and changes nothing of what it makes: types, memory, how training is cut into processes.
WITHOUT_EFFECT = {"reviews/table", "models/allocation", "models/recovery", "models/weights"}
OF_TRAINING_ALONE = {"models/trainer", "models/data_parallel"}
COMPUTING = tuple(f"sentiment.{folder}." for folder in ("models", "evaluation", "reviews", "monitoring"))


@pytest.fixture(scope="module")
def imports():
    return grimp.build_graph("sentiment", "steps", cache_dir=None)


@pytest.mark.parametrize("file", CACHED, ids=lambda file: file.stem)
def test_a_step_depends_on_what_it_runs(file, imports):
    module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
    watched = getattr(import_module(module), file.stem).configuration.cache_policy.file_dependencies
    below = {name.replace(".", "/") for name in imports.find_upstream_modules(module) if name.startswith(COMPUTING)}
    left_out = WITHOUT_EFFECT | (OF_TRAINING_ALONE if file.stem != "train_transformer" else set())
    needed = {f"{name}.py" for name in below if (ROOT / f"{name}.py").exists()}
    assert needed - {f"sentiment/{name}.py" for name in left_out} <= set(watched)
