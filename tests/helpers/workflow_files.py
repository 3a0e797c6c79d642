"""The workflows under test, and a runner for their shell steps."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".github" / "workflows"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yml"))
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
STAND_IN = """#!/usr/bin/env bash
# Records its arguments; then answers as the test chose.
printf '%s' "$(basename "$0")" >> "$CALLS"; printf ' %q' "$@" >> "$CALLS"; echo >> "$CALLS"
{body}
"""


@cache
def workflow(name):
    return yaml.load((FOLDER / f"{name}.yml").read_text(), Loader=yaml.BaseLoader)  # otherwise YAML reads "on" as true


def jobs():
    return [(name, job, body) for name in NAMES for job, body in workflow(name)["jobs"].items()]


def steps():
    """Workflow, job and step of every step that runs shell."""
    return [(name, job, step) for name, job, body in jobs() for step in body["steps"] if "run" in step]


def step(name, words):
    (found,) = {yaml.dump(s): s for w, _, s in steps() if w == name and s["name"] == words}.values()
    return found


@dataclass
class Runner:
    """A runner's folder, files and variables, with stand-ins for programs that need other machines."""

    folder: Path
    variables: dict = field(default_factory=dict)

    def __post_init__(self):
        self.programs = self.folder / "programs"
        self.programs.mkdir()
        self.files = {n: self.folder / n for n in ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "CALLS")}
        for file in self.files.values():
            file.touch()
        (self.folder / "temp").mkdir()

    def stand_in(self, name, body=""):
        (self.programs / name).write_text(STAND_IN.format(body=body))
        (self.programs / name).chmod(0o755)

    def run(self, name, words, cwd=None, **variables):
        """Runs a step as GitHub does, with these values for its expressions."""
        script = step(name, words)
        given = {k: v for k, v in script.get("env", {}).items() if not EXPRESSION.search(v)}
        return self.shell(script["run"], cwd, **{**given, **variables})

    def shell(self, script, cwd=None, **variables):
        environment = {
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "RUNNER_TEMP": str(self.folder / "temp"),
            **{name: str(file) for name, file in self.files.items()},
            **self.variables,
            **variables,
        }
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=cwd or self.folder, env=environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    @property
    def calls(self):
        return self.files["CALLS"].read_text().splitlines()

    def said(self, name):
        return self.files[name].read_text()


def real_make(*arguments):
    """This repository's ``make``, which installs nothing."""
    old = [part for mark in (".ready", ".ready-dev") for part in ("-o", f".venv/{mark}")]
    return [shutil.which("make"), "-C", str(ROOT), "--no-print-directory", *old, *arguments]
