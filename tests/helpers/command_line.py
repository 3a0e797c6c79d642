"""Runs the command line in tests, and reads the state of a model afterwards."""

import io
import json
import os
import random
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pandas as pd

from tests.helpers import forked

ROOT = Path(__file__).resolve().parents[2]
APPROVED = ("--by", "Ann", "--reason", "it is good")
LINEAR = ("--set", "transformer.enabled=false", "--set", "cascade.enabled=false")


@dataclass(frozen=True)
class Result:
    """The result of a command."""

    code: int
    out: str
    err: str

    @property
    def summary(self):
        assert self.code == 0, self.err
        return json.loads(self.out.splitlines()[-1])


def run(*arguments: str | Path) -> Result:
    """Runs ``run.py`` in this process, which saves ten seconds of imports."""
    from cli import app

    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), patch.object(sys, "__stderr__", err):
        code = app.main([str(argument) for argument in arguments])
    return Result(code, out.getvalue(), err.getvalue())


def run_process(*arguments: str | Path) -> Result:
    """Runs ``run.py`` as a process of its own, as users do."""
    command = [sys.executable, "run.py", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


def run_forked(*arguments: str | Path, folder: Path, env: dict[str, str]) -> Result:
    """Runs the command line in a forked process with this environment."""
    return result_of(start_forked(*arguments, folder=folder, env=env))


def start_forked(*arguments: str | Path, folder: Path, env: dict[str, str]) -> forked.Forked:
    """Starts the command line in a forked process with this environment; its output goes to ``folder``."""
    return forked.start(main, [str(argument) for argument in arguments], folder=folder, env=env)


def result_of(process: forked.Forked) -> Result:
    """Waits for the end."""
    return Result(process.code, process.out, process.err)


def main(arguments: list[str]) -> int:
    """What ``run.py`` does, in the repository."""
    from cli import app

    os.chdir(ROOT)
    return app.main(arguments)


def list_versions(model: str) -> list[dict]:
    return run("versions", "--model", model, "--json").summary["versions"]


def find_production(model: str) -> str | None:
    return next((v["number"] for v in list_versions(model) if v["stage"] == "production"), None)


def find_champion(model: str) -> str | None:
    """Returns the version that MLflow's alias points at."""
    import mlflow

    alias = mlflow.MlflowClient(tracking_uri()).get_registered_model(model).aliases.get("champion")
    return alias and mlflow.MlflowClient(tracking_uri()).get_model_version(model, alias).tags["zenml_version"]


def tracking_uri() -> str:
    from cli.session import session

    with session("local", debug=False):
        from zenml.client import Client

        return Client().active_stack.experiment_tracker.get_tracking_uri()


GOOD = ["lovely", "superb", "moving", "witty", "graceful", "stunning", "wonderful", "great"]
BAD = ["dull", "clumsy", "tedious", "hollow", "lifeless", "shoddy", "awful", "boring"]


def sentences(rows: int, seed: int = 0) -> pd.DataFrame:
    """Makes reviews of a clear word among made-up ones, so that no two are near copies."""
    draw = random.Random(seed)
    syllables = [a + b for a in "bdfklmnprst" for b in "aeiou"]
    texts = []
    for i in range(rows):
        words = ["".join(draw.choices(syllables, k=3)) for _ in range(draw.randint(8, 60))]
        words[draw.randrange(len(words))] = draw.choice(GOOD if i % 2 else BAD)
        texts.append(f"This was {draw.choice(GOOD if i % 2 else BAD)}, {' '.join(words)}.")
    return pd.DataFrame(
        {"text": texts, "label": ["neg", "pos"] * (rows // 2), "source": ["shop", "shop", "blog", "blog"] * (rows // 4)}
    )
