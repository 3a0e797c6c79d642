"""A cached step runs again when its code has changed."""

from importlib import import_module
from pathlib import Path

import grimp
import pytest

from steps.caching import WITHOUT_EFFECT

ROOT = Path(__file__).resolve().parents[2]
CACHED = sorted(file for file in (ROOT / "steps").rglob("*.py") if "cache_policy=" in file.read_text())
# Importing any module of sentiment.models runs its __init__, which only re-exports the classifier.
REEXPORTED = {"sentiment.models.classifier", "sentiment.models.features", "sentiment.models.truncation"}


@pytest.fixture(scope="module")
def imports():
    return grimp.build_graph("sentiment", "steps", cache_dir=None, exclude_type_checking_imports=True)


@pytest.mark.parametrize("file", CACHED, ids=lambda file: file.stem)
def test_a_step_depends_on_every_module_that_it_imports(file, imports):
    module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
    dependencies = getattr(import_module(module), file.stem).configuration.cache_policy.file_dependencies
    needed = {name for name in imports.find_upstream_modules(module) if name.startswith("sentiment.")}
    packages = {name for name in needed if (ROOT / name.replace(".", "/")).is_dir()}
    files = {f"{name.replace('.', '/')}.py" for name in needed - packages - WITHOUT_EFFECT - REEXPORTED}
    assert files <= set(dependencies)


def test_only_a_step_that_runs_the_classifier_depends_on_it():
    from steps.evaluation.evaluate import evaluate
    from steps.training.train_transformer import train_transformer

    file = "sentiment/models/classifier.py"
    assert file in evaluate.configuration.cache_policy.file_dependencies
    assert file not in train_transformer.configuration.cache_policy.file_dependencies
