"""The cache policy of steps: a step runs again when code that it depends on has changed."""

from __future__ import annotations

from zenml.config.cache_policy import CachePolicy

from sentiment.imports import import_closure, module_files

# They report, check or store, but do not change the result of a step.
WITHOUT_EFFECT = {
    "sentiment.checks",
    "sentiment.errors",
    "sentiment.imports",
    "sentiment.models.allocation",
    "sentiment.models.recovery",
    "sentiment.progress",
    "sentiment.settings",
    "steps.caching",
}


def depends_on_imports(module: str) -> CachePolicy:
    """Returns a cache policy that includes the domain code that a step's module imports, directly or not.

    ZenML by itself includes only the step function's own code.

    Args:
        module: ``__name__`` of the step's module.
    """
    modules = import_closure(module, with_packages=False) - WITHOUT_EFFECT
    return CachePolicy(file_dependencies=module_files(m for m in modules if m.startswith(("sentiment.", "steps."))))
