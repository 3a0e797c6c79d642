"""The rules for every workflow: the schema, pinned actions, few rights, no injection, existing targets."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.workflow_files import EXPRESSION, FOLDER, NAMES, ROOT, jobs, real_make, steps, workflow

PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
MAKE = re.compile(r'\bmake ((?:[^\s|;&>"]|"[^"]*"|[ ](?=[\w"-]))+)')
BIN = Path(sys.executable).parent
EVERY_STEP = [pytest.param(name, body, id=f"{name}: {body['name']}") for name, _, body in steps()]


def test_there_are_four():
    assert NAMES == ["deploy", "release", "test", "train"]


@pytest.mark.parametrize(
    ("schema", "files"), [("github-workflows", FOLDER.glob("*")), ("dependabot", ["dependabot.yml"])]
)
def test_githubs_schema_holds(schema, files):
    paths = [str(FOLDER.parent / file) for file in files]
    done = subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", f"vendor.{schema}", *paths],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_actionlint_finds_nothing():
    if not (program := shutil.which("actionlint", path=f"{BIN}:{os.environ['PATH']}")):
        pytest.skip("actionlint is not installed: make actionlint, which needs GitHub")
    done = subprocess.run([program, *map(str, FOLDER.glob("*.yml"))], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_actions_are_pinned_by_commit_with_their_version(name):
    used = [
        line.strip().removeprefix("- ") for line in (FOLDER / f"{name}.yml").read_text().splitlines() if "uses:" in line
    ]
    assert used
    assert [line for line in used if not PINNED.match(line)] == []


def test_an_action_has_one_pin_everywhere():
    used = {line.partition("uses: ")[2] for n in NAMES for line in (FOLDER / f"{n}.yml").read_text().splitlines()} - {
        ""
    }
    assert len(used) == len({line.partition("@")[0] for line in used}) == 4


def test_rights_are_given_job_by_job_and_named():
    written = {}
    for name in NAMES:
        assert workflow(name)["permissions"] == {}, name
        assert "concurrency" in workflow(name), name
    for name, job, body in jobs():
        assert int(body["timeout-minutes"]) <= 120
        assert body["runs-on"] == "ubuntu-24.04"
        assert set(body["permissions"].values()) <= {"read", "write"}
        written[f"{name}: {job}"] = {right for right, kind in body["permissions"].items() if kind == "write"}
    assert {job: rights for job, rights in written.items() if rights} == {
        "deploy: image": {"packages"},
        "release: release": {"contents"},
        "train: comment": {"pull-requests"},
    }


def test_no_checkout_leaves_a_token_and_no_pull_request_runs_with_rights():
    for name, job, body in jobs():
        checkouts = [s for s in body["steps"] if s.get("uses", "").startswith("actions/checkout@")]
        assert all(s["with"]["persist-credentials"] == "false" for s in checkouts)
        if "pull-requests" in body["permissions"]:
            assert not checkouts, f"{name}: {job} runs code of the pull request"
    assert all("pull_request_target" not in workflow(name)["on"] for name in NAMES)
    assert all("workflow_run" not in workflow(name)["on"] for name in NAMES)


@pytest.mark.parametrize(("name", "body"), EVERY_STEP)
def test_nothing_is_pasted_into_shell(name, body):
    assert not EXPRESSION.search(body["run"]), "an expression in a script may run text from a stranger: pass it by env"


def secret_variables():
    for name, job, body in jobs():
        for where in (workflow(name), body, *body["steps"]):
            for variable, value in where.get("env", {}).items():
                if "secrets." in value or "github.token" in value:
                    yield name, job, variable


def test_secrets_reach_programs_by_variables_alone_and_are_not_printed():
    found = set(secret_variables())
    assert {variable for _, _, variable in found} >= {"SENTIMENT_S3_SECRET_KEY", "KUBECONFIG_DATA", "SENTIMENT_TOKEN"}
    for name in NAMES:
        text = (FOLDER / f"{name}.yml").read_text()
        for line in text.splitlines():
            if "secrets." in line:
                assert re.fullmatch(r"\s+[A-Z_0-9]+: \$\{\{ secrets\.[A-Z_0-9]+ \}\}", line), line
    allowed = re.compile(r"""\[ -n "\$\w+" \]|printf '%s' "\$\w+" (?:\||>)""")
    for name, job, variable in found:
        for body in workflow(name)["jobs"][job]["steps"]:
            script = allowed.sub("", body.get("run", ""))
            assert not re.search(rf"\${{?{variable}\b", script), f"{name}: {body.get('name')} shows {variable}"
            assert "set -x" not in script


@pytest.mark.parametrize(("name", "body"), EVERY_STEP)
def test_shellcheck_finds_nothing(name, body, tmp_path):
    file = tmp_path / "step.sh"
    file.write_text("#!/usr/bin/env bash\nset -eo pipefail\n" + body["run"])
    done = subprocess.run([BIN / "shellcheck", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_shellcheck_finds_nothing_in_the_scripts():
    scripts = [ROOT / ".ci" / "run", ROOT / ".ci" / "changelog", ROOT / "deploy" / "kubernetes" / "rollout.sh"]
    done = subprocess.run([BIN / "shellcheck", *scripts], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def made():
    """Every call of make in a workflow and in the scripts of workflows."""
    texts = [body["run"] for _, _, body in steps()]
    texts += [(ROOT / ".ci" / "run").read_text(), (ROOT / "deploy" / "kubernetes" / "rollout.sh").read_text()]
    return sorted({match[1].strip() for text in texts for match in MAKE.finditer(text)})


def test_calls_of_make_are_found():
    targets = {word for call in made() for word in call.split()}
    assert {"lint", "test", "audit", "coverage", "train", "compare", "report", "deploy", "image", "push", "rollout",
            "changelog", "sbom", "smoke"} <= targets  # fmt: skip


@pytest.mark.parametrize("call", made())
def test_every_make_call_is_a_documented_target(call):
    words = [w for w in re.sub(r'-C "[^"]*"|--silent|"?[A-Z]+=\S*"?|\d', "", call).split() if w]
    described = dict(re.findall(r"^([a-z-]+):.*## (.+)$", (ROOT / "Makefile").read_text(), re.M))
    for target in ["train", "thorough"] if words == ['"$PROFILE"'] else words:
        assert target in described, f"make help does not know {target}"
        done = subprocess.run(real_make("-n", target), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_the_tests_are_asked_for_their_coverage():
    (step,) = [body for _, _, body in steps() if "bash .ci/run" in body["run"]]
    done = subprocess.run(
        real_make("-n", "test"), env={**os.environ, **step["env"]}, capture_output=True, text=True, check=False
    )
    assert "-m pytest" in done.stdout
    assert "--cov" in done.stdout


def test_the_stack_gets_every_variable_it_asks_for():
    """A workflow that trains or deploys passes the variables of configs/stacks/cloud.yaml, secrets as secrets."""
    text = (ROOT / "configs" / "stacks" / "cloud.yaml").read_text()
    named = set(re.findall(r"\$\{(SENTIMENT_(?!LIVE_)\w+)", text))  # LIVE: of the machine that serves
    seen = 0
    for name, job, body in jobs():
        own = {key: value for key, value in body.get("env", {}).items() if key.startswith("SENTIMENT_")}
        if not own:
            continue
        seen += 1
        assert own.keys() == named, f"{name}: {job}"
        for variable, value in own.items():
            secret = variable.endswith(("_KEY", "_USERNAME", "_PASSWORD"))
            assert value == f"${{{{ {'secrets' if secret else 'vars'}.{variable} }}}}"
    assert seen == 3
