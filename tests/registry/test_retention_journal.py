"""The journal of a deletion survives a crash while it is written, and a damaged one is not taken for an empty one."""

import pytest
from zenml.io.local_filesystem import LocalFilesystem

from registry.retention.journal import Journal, read_journal, remove_journal, write_journal
from sentiment.errors import UserError
from stacks.probes.storage import JOURNAL


@pytest.fixture
def store(tmp_path):
    class Store(LocalFilesystem):
        path = str(tmp_path)

    return Store


def test_a_crash_while_the_journal_is_written_leaves_the_one_before(store, monkeypatch):
    assert read_journal(store) == Journal()
    write_journal(store, Journal(versions=("m:1",)))
    with monkeypatch.context() as patch, pytest.raises(OSError, match="full"):
        patch.setattr("json.dumps", lambda _: (_ for _ in ()).throw(OSError("the disk is full")))
        write_journal(store, Journal(versions=("m:1", "m:2")))
    assert read_journal(store).versions == ("m:1",)
    write_journal(store, Journal(versions=("m:2",)))
    assert read_journal(store).versions == ("m:2",)
    remove_journal(store)
    assert read_journal(store) == Journal()


@pytest.mark.parametrize("text", ['{"versions": ["m:1"', "", "[]", '{"versions": []}', '{"started": "s", "other": []}'])
def test_a_damaged_journal_is_refused_with_what_to_do(store, tmp_path, text):
    (tmp_path / JOURNAL).write_text(text)
    with pytest.raises(UserError, match=r"journal of an earlier prune is damaged.*Rename it.*status") as refused:
        read_journal(store)
    assert str(tmp_path / JOURNAL) in str(refused.value)
    assert (tmp_path / JOURNAL).exists()
