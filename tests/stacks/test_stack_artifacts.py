"""Artifacts on S3: whole ones, and parts of large ones at the same time."""

import asyncio
import os
import uuid
from pathlib import Path

import pytest

from materializers.directory import PART, DirectoryMaterializer
from sentiment.errors import UserError
from stacks.activation import activated

pytestmark = pytest.mark.slow


class Files(DirectoryMaterializer):
    """The contents of the files of a folder."""

    SKIP_REGISTRATION = True

    def write(self, value: dict, directory: Path) -> None:
        for name, content in value.items():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / name).write_bytes(content)

    def read(self, directory: Path) -> dict:
        return {str(p.relative_to(directory)): p.read_bytes() for p in directory.rglob("*") if p.is_file()}

    def page(self, value: dict) -> str:
        return f"<p>{len(value)}</p>"

    def fingerprint(self, value: dict) -> None:
        return None


@pytest.fixture
def store(cloud_stack):
    from zenml.client import Client

    with activated(cloud_stack()):
        yield Client().active_stack.artifact_store


@pytest.fixture
def requests(store, monkeypatch):
    """The requests to S3, and the largest number at the same time."""
    filesystem = type(store.filesystem)
    asked, running, most = [], [0], {}
    call = filesystem._call_s3

    async def count(self, method, *arguments, **options):
        asked.append(method)
        running[0] += 1
        most[method] = max(most.get(method, 0), running[0])
        await asyncio.sleep(0.01)
        try:
            return await call(self, method, *arguments, **options)
        finally:
            running[0] -= 1

    monkeypatch.setattr(filesystem, "_call_s3", count)
    return asked, most


def test_a_stored_artifact_is_read_back(store, requests):
    value = {"a.json": b"{}", "empty": b"", "in/side/large.bin": os.urandom(3 * PART + 1), "small.bin": b"123"}
    artifact = Files(uri=f"{store.path}/test/{uuid.uuid4()}", artifact_store=store)
    artifact.save(value)
    artifact.save_visualizations(value)
    loaded = Files(uri=artifact.uri, artifact_store=store)
    assert loaded.load(dict) == value
    with store.open(f"{artifact.uri}/page.html", "r") as page:
        assert page.read() == "<p>4</p>"
    asked, most = requests
    assert asked.count("upload_part") == 4
    assert most["upload_part"] >= 4
    assert most["get_object"] >= 4


def test_a_missing_artifact_is_an_error(store):
    with pytest.raises(UserError, match="the files of this artifact are gone"):
        Files(uri=f"{store.path}/test/{uuid.uuid4()}", artifact_store=store).load(dict)


def test_retention_deletes_artifacts_and_keeps_its_journal_on_s3(store, cloud_stack):
    from registry.retention.journal import Journal, read_journal, remove_journal, write_journal
    from registry.retention.records import delete_stored
    from stacks.check import check

    artifact, other = (Files(uri=f"{store.path}/test/{uuid.uuid4()}", artifact_store=store) for _ in range(2))
    for files in (artifact, other):
        files.save({"a.json": b"{}", "in/side/b.bin": b"123"})
    delete_stored(artifact.uri, store)
    delete_stored(artifact.uri, store)  # an earlier deletion was cut short after it
    assert not store.exists(artifact.uri)
    assert set(other.load(dict)) == {"a.json", "in/side/b.bin"}

    def proof():
        others = ("ZenML server", "requirements", "orchestrator", "experiment_tracker", "model_deployer")
        (found,) = check(cloud_stack(), without=others, limit=60)
        assert found.passed
        return found.words

    assert read_journal(store) == Journal()
    write_journal(store, Journal(runs=("train-1",)))
    assert read_journal(store).runs == ("train-1",)
    assert "a deletion that began" in proof()
    remove_journal(store)
    assert "deletion" not in proof()
