"""Bentos in a real bucket: what one machine built, another one takes, and never a half or a damaged one."""

import hashlib
import json
import logging
import os
import signal
import subprocess
import sys
from filecmp import dircmp
from pathlib import Path

import pytest

import steps.deployment.build as step
from bento import store
from sentiment.models.servable import Servable
from tests.helpers import tiny_servables
from tests.helpers.loopback import until

ROOT = Path(__file__).resolve().parents[2]
STACK = """
components:
  orchestrator: {flavor: local}
  artifact_store:
    flavor: s3
    configuration:
      path: s3://${SENTIMENT_S3_BUCKET}/shared
      authentication_secret: bento_store
      client_kwargs: {endpoint_url: "${SENTIMENT_S3_ENDPOINT}"}
  model_deployer: {flavor: sentiment_bento, configuration: {push_bentos: true}}
secrets:
  bento_store:
    aws_access_key_id: ${SENTIMENT_S3_ACCESS_KEY}
    aws_secret_access_key: ${SENTIMENT_S3_SECRET_KEY}
"""
PULL = """
import sys
from bento.store import fill
fill([sys.executable, "-m", "bentoml", "import", sys.argv[1]], sys.argv[2])
"""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stack(cloud, tmp_path_factory):
    from stacks.apply import apply
    from stacks.stack_file import read_stack

    folder = tmp_path_factory.mktemp("stacks")
    (folder / "shared.yaml").write_text(STACK)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cloud.environment.items():
            patch.setenv(name, value)
        patch.setenv("ZENML_ACTIVE_STACK_ID", str(apply(read_stack("shared", folder)).id))
        yield


@pytest.fixture(scope="module")
def servable(tmp_path_factory):
    return tiny_servables.save_linear(tmp_path_factory.mktemp("servable") / "it")


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """Makes a machine with an empty Bento store the one that deploys."""
    with pytest.MonkeyPatch.context() as patch:

        def new():
            home = tmp_path_factory.mktemp("machine")
            patch.setenv("BENTOML_HOME", str(home))
            return home

        yield new


@pytest.fixture
def build(servable, stack, monkeypatch):
    """The step, for a version of that number."""
    monkeypatch.setattr(step, "lineage", lambda model, version: {"fingerprint": servable.fingerprint})
    return lambda version: step.build.entrypoint(Servable(servable.path), "shared", version).tag


def files(cloud, tag):
    """Of a Bento in the bucket, by their endings."""
    path = f"shared/bentos/{tag.replace(':', '/')}"
    return {ending: {"Bucket": "sentiment", "Key": f"{path}.{ending}"} for ending in ("tar", "json")}


def content(cloud, tag, ending):
    return cloud.bucket().get_object(**files(cloud, tag)[ending])["Body"].read()


def differences(one, other):
    """Relative paths that two folders do not have in common, or with another content."""
    found, todo = [], [dircmp(one, other)]
    while todo:
        here = todo.pop()
        found += [*here.left_only, *here.right_only, *here.diff_files]
        todo += here.subdirs.values()
    return found


def test_another_machine_takes_what_one_built(build, machine, cloud, caplog):
    first = machine()
    tag = build("1")
    stored = content(cloud, tag, "tar")
    assert json.loads(content(cloud, tag, "json"))["bytes"] == len(stored)
    second = machine()
    caplog.clear()
    with caplog.at_level(logging.INFO):
        assert build("1") == tag
    assert f"took Bento {tag}" in caplog.text
    assert "stored Bento" not in caplog.text
    for path in store.paths(tag):
        assert (second / path).is_dir()
        assert not differences(first / path, second / path)
    assert content(cloud, tag, "tar") == stored
    assert not list(second.glob(f"{store.STAGING}*"))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("other bytes", "is damaged"),
        ("cut short", "is damaged"),
        ("nonsense beside it", "is damaged"),
        ("not all there", "no Bento"),
        ("no archive", "no Bento"),
    ],
)
def test_what_is_damaged_or_half_there_is_not_taken(harm, said, stack, machine, cloud, caplog):
    bucket, tag = cloud.bucket(), f"shared:v5-{harm.replace(' ', '')}-code"
    at, good = files(cloud, tag), b"what was stored" * 1000
    described = {"bytes": len(good), "sha256": hashlib.sha256(good).hexdigest()}
    bucket.put_object(**at["json"], Body=json.dumps(described).encode())
    bucket.put_object(**at["tar"], Body=good)
    shared = step._shared_bentos()
    assert shared.has(tag)
    match harm:
        case "other bytes":
            bucket.put_object(**at["tar"], Body=good[:-100] + bytes(100))
        case "cut short":
            bucket.put_object(**at["tar"], Body=good[:-100])
        case "nonsense beside it":
            bucket.put_object(**at["json"], Body=b"\x00{")
        case "not all there":  # as of an upload that was killed
            bucket.delete_object(**at["json"])
        case "no archive":
            bucket.delete_object(**at["tar"])
    home = machine()
    with caplog.at_level(logging.INFO):
        assert not shared.pull(tag)
    assert said in caplog.text
    assert not shared.has(tag)  # so it is stored again
    assert not list(home.rglob("*"))


def test_what_is_damaged_is_built_anew_and_stored_again(build, machine, cloud, caplog):
    machine()
    tag = build("2")
    good = content(cloud, tag, "tar")
    cloud.bucket().put_object(**files(cloud, tag)["tar"], Body=good[:5000] + bytes([good[5000] ^ 1]) + good[5001:])
    machine()
    caplog.clear()
    with caplog.at_level(logging.INFO):
        assert build("2") == tag
    assert store.is_here(tag)
    assert "is damaged" in caplog.text
    assert f"stored Bento {tag}" in caplog.text
    stored = content(cloud, tag, "tar")
    assert json.loads(content(cloud, tag, "json"))["sha256"] == hashlib.sha256(stored).hexdigest()


def test_whoever_is_killed_leaves_no_half_of_a_bento(build, machine, cloud, tmp_path):
    machine()
    tag = build("3")
    archive = tmp_path / "it.tar"
    archive.write_bytes(content(cloud, tag, "tar"))
    home = machine()
    command = [sys.executable, "-c", PULL, str(archive), tag]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ, start_new_session=True)
    until(lambda: list(home.glob(f"{store.STAGING}*/bentos/*/*")))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not store.is_here(tag)
    build("3")
    assert store.is_here(tag)
    assert not list(home.glob(f"{store.STAGING}*"))


def test_a_store_of_ones_own_stays_ones_own(stack, monkeypatch):
    from serving.deployer import BentoDeployer

    assert step._shared_bentos().folder == "s3://sentiment/shared/bentos"
    monkeypatch.setattr(BentoDeployer, "config", BentoDeployer.FLAVOR().config_class())
    assert step._shared_bentos() is None
