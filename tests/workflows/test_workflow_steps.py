"""Runs the shell steps of the workflows, with stand-ins only for programs that need other machines."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from pipelines.settings import DeploySettings
from sentiment.settings import read_settings
from tests.helpers.workflow_files import ROOT, Runner, real_make, step

BIN = Path(sys.executable).parent


@pytest.fixture
def runner(tmp_path):
    return Runner(tmp_path)


def git(folder, *arguments):
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"},
    )  # fmt: skip
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    """A clone of a repository with two releases, this project's changelog and Makefile."""
    origin = tmp_path / "origin"
    (origin / ".ci").mkdir(parents=True)
    (origin / ".ci" / "changelog").write_bytes((ROOT / ".ci" / "changelog").read_bytes())
    (origin / ".ci" / "changelog").chmod(0o755)
    (origin / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    git(origin, "init", "--quiet")
    git(origin, "add", ".")
    git(origin, "commit", "--quiet", "-m", "The beginning")
    git(origin, "tag", "v0.1.0")
    for words in ("Service: answers faster", "A test | with <marks> & `ticks`", "Service: and says so"):
        git(origin, "commit", "--quiet", "--allow-empty", "-m", words)
    git(origin, "tag", "v0.2.0")
    git(origin, "commit", "--quiet", "--allow-empty", "-m", "Later")
    git(tmp_path, "clone", "--quiet", str(origin), "checkout")
    return tmp_path / "checkout"


def test_the_changelog_of_a_tag_lists_the_changes_since_the_previous_one(runner, checkout):
    done = runner.run("release", "Changelog", checkout, GITHUB_REF_NAME="v0.2.0")
    assert done.returncode == 0, done.stderr
    text = (checkout / "changelog.md").read_text()
    assert text.startswith("## v0.2.0, ")
    assert re.search(
        r"\n\n- A test \| with <marks> & `ticks` \(\w+\)\n\n### Service\n\n- and says so .*\n- answers", text
    )
    assert "Since v0.1.0: 3 commits by 1 people." in text
    assert "The beginning" not in text and "Later" not in text
    assert runner.said("GITHUB_STEP_SUMMARY") == text


def test_changelogs_of_the_first_tag_of_no_tag_and_of_a_wrong_one(runner, checkout):
    first = runner.shell("make --silent changelog TAG=v0.1.0", checkout).stdout
    assert "The beginning" in first and "Since" not in first
    unreleased = runner.shell("make --silent changelog", checkout).stdout
    assert unreleased.startswith("## Not released yet") and "- Later" in unreleased and "faster" not in unreleased
    wrong = runner.shell("make --silent changelog TAG=v9", checkout)
    assert wrong.returncode != 0
    assert "there is no tag v9" in wrong.stderr


@pytest.mark.parametrize(
    ("commit", "passed", "error"),
    [("v0.2.0", "1", ""), ("v0.2.0", "0", "test.yml has not passed"), ("aside", "1", "is not on main")],
)
def test_only_tested_commits_on_main_are_released(commit, passed, error, runner, checkout):
    if commit == "aside":
        git(checkout, "checkout", "--quiet", "-b", "aside")
        git(checkout, "commit", "--quiet", "--allow-empty", "-m", "Not reviewed")
    runner.stand_in("gh", f"echo {passed}")
    sha = git(checkout, "rev-parse", f"{commit}^{{commit}}")
    done = runner.run(
        "release", "Require a commit on main whose tests passed", checkout, GITHUB_SHA=sha, GITHUB_REF_NAME="v0.2.0"
    )
    assert (done.returncode == 0) == (not error)
    assert error in done.stderr


def test_the_bill_of_materials_names_every_pin(tmp_path):
    for folder in ("bento",):
        (tmp_path / folder).mkdir()
    for file in ("pyproject.toml", "requirements.txt", "bento/requirements.txt", "Makefile"):
        (tmp_path / file).write_bytes((ROOT / file).read_bytes())
    make = [part if part != str(ROOT) else str(tmp_path) for part in real_make("sbom", f"BIN={BIN}")]
    (tmp_path / ".venv").mkdir()
    for mark in (".ready", ".ready-dev"):
        (tmp_path / ".venv" / mark).touch()
    done = subprocess.run(make, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name, pins in (("training", "requirements.txt"), ("service", "bento/requirements.txt")):
        bill = json.loads((tmp_path / "dist" / f"sbom-{name}.cdx.json").read_text())
        wanted = {line.split("==")[0].split("[")[0] for line in (ROOT / pins).read_text().splitlines() if "==" in line}
        assert bill["bomFormat"] == "CycloneDX"
        assert bill["metadata"]["component"]["name"] == "sentiment-stack"
        assert {c["name"] for c in bill["components"]} == wanted
        assert all(c["purl"].startswith("pkg:pypi/") for c in bill["components"])


@pytest.mark.slow
def test_the_audit_reads_every_pin():
    """Without the vulnerability database, which is not reachable offline."""
    commands = subprocess.check_output(real_make("-n", "audit", f"BIN={BIN}"), text=True)
    assert commands.count("pip-audit --strict") == 1
    dry = commands.replace("pip-audit ", "pip-audit --dry-run ")
    done = subprocess.run(["bash", "-c", dry], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for pins in (
        "requirements.txt",
        "requirements-dev.txt",
        "requirements-ray.txt",
        "requirements-trackers.txt",
        "bento/requirements.txt",
        "deploy/airflow/requirements.txt",
    ):
        pinned = [Requirement(line) for line in (ROOT / pins).read_text().splitlines() if "==" in line]
        count = sum(one.marker is None or one.marker.evaluate() for one in pinned)
        assert f"would have audited {count} packages" in done.stderr.replace("Dry run: ", "")


@pytest.mark.parametrize("there", [False, True])
def test_a_release_is_drafted_once_and_then_renewed(there, runner):
    (runner.folder / "dist").mkdir()
    (runner.folder / "dist" / "sbom-service.cdx.json").write_text("{}")
    runner.stand_in("gh", f'[ "$2" != view ] || exit {0 if there else 1}')
    done = runner.run("release", "Draft the release", GITHUB_REF_NAME="v1.0.0")
    assert done.returncode == 0, done.stderr
    assert runner.calls == [
        "gh release view v1.0.0",
        *(
            [
                "gh release edit v1.0.0 --notes-file changelog.md",
                "gh release upload v1.0.0 dist/sbom-service.cdx.json --clobber",
            ]
            if there
            else [
                "gh release create v1.0.0 dist/sbom-service.cdx.json --draft --verify-tag --title v1.0.0 "
                "--notes-file changelog.md"
            ]
        ),
    ]


@pytest.mark.parametrize(
    ("name", "key", "stack"), [("train", "", "local"), ("train", "k", "cloud"), ("deploy", "k", "cloud")]
)
def test_the_stack_is_the_cloud_where_there_are_secrets(name, key, stack, runner):
    done = runner.run(name, "Choose the stack", SENTIMENT_ZENML_API_KEY=key)
    assert done.returncode == 0, done.stderr
    assert runner.said("GITHUB_ENV") == f"STACK={stack}\n"
    assert name == "train" or runner.said("GITHUB_OUTPUT") == f"stack={stack}\n"


def test_a_pull_request_is_trained_after_its_base_and_promotes_nothing(runner, checkout):
    runner.stand_in("make", 'echo "$PWD" >> "$CALLS"')
    base = git(checkout, "rev-parse", "v0.1.0")
    assert runner.run("train", "Train the champion to compare with", checkout, BASE_SHA=base).returncode == 0
    worktree = runner.folder / "temp" / "base"
    assert git(worktree, "rev-parse", "HEAD") == base
    assert runner.calls[0] == f"make -C {worktree} train"
    held = "promotion=configs/promotion.held.yaml"
    assert runner.run("train", "Train", PROFILE="train", HELD=held, STACK="cloud").returncode == 0
    assert runner.calls[2] == f"make train SET={held} JSON=train.json"
    command = subprocess.check_output(real_make("-n", "train", f"SET={held}", "STACK=cloud"), text=True)
    assert command.split()[1:] == ["run.py", "--stack", "cloud", "--set", held, "--pipeline", "train"]
    command = subprocess.check_output(real_make("-n", "compare", "TRAINING=train-2026", "MARKDOWN=c.md"), text=True)
    assert command.split()[1:] == ["run.py", "compare", "--run", "train-2026", "--markdown", "c.md"]


def test_a_champion_is_trained_with_nothing_held_back(runner):
    runner.stand_in("make")
    assert runner.run("train", "Train", PROFILE="thorough", HELD="").returncode == 0
    assert runner.calls == ["make thorough SET= JSON=train.json"]
    command = subprocess.check_output(real_make("-n", "thorough", "SET="), text=True)
    assert "--set" not in command


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed; GitHub's runners have it")
def test_the_comparison_is_the_jobs_summary(runner):
    (runner.folder / "train.json").write_text('a library said something\n{"run": "train-2026", "promoted": true}\n')
    runner.stand_in("make", 'echo "### Model" > "${3#MARKDOWN=}"')
    done = runner.run("train", "Compare")
    assert done.returncode == 0, done.stderr
    assert runner.calls == ["make compare TRAINING=train-2026 MARKDOWN=comparison.md"]
    assert runner.said("GITHUB_STEP_SUMMARY") == "### Model\n"


@pytest.mark.parametrize("known", ["", "17"])
def test_a_pull_request_gets_one_comment(known, runner):
    from sentiment.pages.comparison import MARK

    (runner.folder / "comparison.md").write_text(f"{MARK}\n\n### Model: not promoted\n")
    runner.stand_in("gh", f'case "$*" in *--jq*) echo "{known}" | sed "/^$/d" ;; esac')
    done = runner.run("train", "Write or update the comment", GH_REPO="o/r", NUMBER="5")
    assert done.returncode == 0, done.stderr
    assert runner.calls[1] == (
        "gh api --method PATCH repos/o/r/issues/comments/17 --field body=@comparison.md --silent"
        if known
        else "gh pr comment 5 --body-file comparison.md"
    )


def test_a_missing_comparison_is_not_posted(runner):
    (runner.folder / "comparison.md").write_text("look at this: http://evil.example\n")
    runner.stand_in("gh")
    assert runner.run("train", "Write or update the comment", GH_REPO="o/r", NUMBER="5").returncode == 1
    assert runner.calls == []


@pytest.mark.parametrize("there", [False, True])
def test_coverage_is_shown_where_tests_ran(there, runner):
    runner.stand_in("make", "echo '| Name | Cover |'")
    if there:
        (runner.folder / ".coverage").touch()
    assert runner.run("test", "Coverage").returncode == 0
    assert runner.said("GITHUB_STEP_SUMMARY") == ("| Name | Cover |\n" if there else "")


def test_an_image_is_pushed_and_known_by_its_digest(runner):
    digest = f"ghcr.io/owner/sentiment@sha256:{'a' * 64}"
    runner.stand_in(
        "docker", f'case "$1" in login) cat > password ;; inspect) echo "{digest}"; echo other@sha256:b ;; esac'
    )
    runner.stand_in("make")
    done = runner.run(
        "deploy", "Push the image", REGISTRY_TOKEN="very secret", TAG="v1.0.0", GITHUB_ACTOR="ada",
        GITHUB_REPOSITORY="Owner/Sentiment",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert runner.said("GITHUB_OUTPUT") == f"image={digest}\n"
    assert (runner.folder / "password").read_text() == "very secret"
    assert "very secret" not in "".join([done.stdout, done.stderr, *runner.calls])
    assert runner.calls[0] == "docker login ghcr.io --username ada --password-stdin"
    assert runner.calls[1:3] == ["make push IMAGE=ghcr.io/owner/sentiment:v1.0.0", "docker logout ghcr.io"]


def test_the_clusters_credentials_are_the_runners_alone_and_go(runner):
    assert runner.run("deploy", "Connect to the cluster", KUBECONFIG_DATA="apiVersion: v1").returncode == 0
    file = runner.folder / "temp" / "kubeconfig"
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("apiVersion: v1", 0o600)
    assert runner.said("GITHUB_ENV") == f"KUBECONFIG={file}\n"
    assert runner.run("deploy", "Forget the cluster").returncode == 0
    assert not file.exists()


KUBECTL = """case "$1 $2" in
    "get deployment/sentiment") echo -n "{before}" ;;
    "apply --filename") cat > "$HOME/applied.yaml" ;;
    "rollout status") [ -z "{stuck}" ] || [ -e "$HOME/stuck" ] || {{ touch "$HOME/stuck"; exit 1; }} ;;
    "port-forward service/sentiment") exec sleep 30 ;;
esac"""
IMAGE = f"ghcr.io/owner/sentiment@sha256:{'a' * 64}"


def roll_out(runner, *, before="7", stuck="", smoke=0):
    runner.stand_in("kubectl", KUBECTL.format(before=before, stuck=stuck))
    runner.stand_in("curl")
    runner.stand_in("make", f"exit {smoke}")
    command = subprocess.check_output(real_make("-n", "rollout", f"IMAGE={IMAGE}", "STACK=cloud"), text=True)
    return runner.shell(command, ROOT)


def called(runner, *words):
    return [call for call in runner.calls if all(word in call for word in words)]


def test_a_rollout_ends_with_the_smoke_test_of_the_cluster(runner):
    import yaml

    done = roll_out(runner)
    assert done.returncode == 0, done.stderr
    applied = list(yaml.safe_load_all((runner.folder / "applied.yaml").read_text()))
    written = [
        y for f in sorted((ROOT / "deploy/kubernetes").glob("*.yaml")) for y in yaml.safe_load_all(f.read_text())
    ]
    (deployment,) = [y for y in written if y["kind"] == "Deployment"]
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] = IMAGE
    assert [y for y in applied if y] == written
    assert runner.calls[-1] == (
        "make smoke HTTP=http://127.0.0.1:13000 GRPC=127.0.0.1:13001 STACK=cloud SET=smoke.p95_ms=1000"
    )
    assert not called(runner, "undo")


@pytest.mark.parametrize("failing", [{"stuck": "1"}, {"smoke": 1}], ids=["never ready", "wrong answers"])
def test_a_failed_rollout_restores_the_previous_revision(failing, runner):
    done = roll_out(runner, **failing)
    assert done.returncode != 0
    assert "rolling back to revision 7" in done.stderr
    assert called(runner, "kubectl rollout undo deployment/sentiment --to-revision=7")
    assert runner.calls[-1] == "kubectl rollout status deployment/sentiment --timeout=5m"  # of the old version
    assert bool(called(runner, "make smoke")) == ("smoke" in failing)


def test_a_first_rollout_that_fails_has_nothing_to_go_back_to(runner):
    done = roll_out(runner, before="", smoke=1)
    assert done.returncode != 0
    assert "there is no previous revision" in done.stderr
    assert not called(runner, "undo")


def test_a_rollout_without_an_image_is_refused(runner):
    done = runner.shell("deploy/kubernetes/rollout.sh", ROOT)
    assert done.returncode != 0
    assert "name the image" in done.stderr


def test_a_deployment_requires_an_approval_where_the_repository_says_so(runner):
    runner.stand_in("make")
    setting = re.search(r"'(\w+=\w+)'", step("deploy", "Package the champion, and test it here")["env"]["APPROVAL"])[1]
    for approval in (setting, ""):
        runner.run("deploy", "Package the champion, and test it here", APPROVAL=approval)
    assert runner.calls == [f"make deploy SET={setting}", "make deploy SET="]
    assert read_settings(DeploySettings, ROOT / "configs" / "deploy.yaml", [setting]).require_approval
