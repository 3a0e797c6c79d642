import pytest

from sentiment.annotation.items import Item
from sentiment.annotation.log_folder import extend_log, note_exported, read_exported, require_written
from sentiment.annotation.selection import fingerprint
from sentiment.errors import UserError
from sentiment.monitoring.prediction_log import Feedback, PredictionLog, read_log, write_feedback
from sentiment.monitoring.window import local_log
from tests.helpers.windows import stream

ITEMS = [Item(f"{i:032x}", f"text number {i}", "positive", 0.6, "3", "random") for i in range(3)]
LABELS = [Feedback("a" * 32, "negative", 1_700_000_000.25, "annotator:kim")]


def test_labels_are_added_while_a_service_writes_its_own(tmp_path):
    service = PredictionLog(tmp_path, max_mb=1, keep_text=True, on_drop=print)
    service.feedback("b" * 32, "positive", 1_700_000_000.0)
    assert write_feedback(tmp_path, LABELS) == 0
    service.close()
    assert {(f.prediction_id[0], f.client) for f in read_log(tmp_path).feedback} == {
        ("a", "annotator:kim"),
        ("b", None),
    }
    assert read_log(tmp_path).damaged == ()


def test_the_texts_of_batches_are_known_by_fingerprint_and_not_repeated(tmp_path):
    note_exported(tmp_path, ITEMS[:2], "one.jsonl")
    note_exported(tmp_path, ITEMS[2:], "two.jsonl")
    files = sorted(tmp_path.iterdir())
    files[0].open("ab").write(b'{"text\n[]\n\xff\n{}\n')
    assert read_exported(tmp_path) == {fingerprint(item.text) for item in ITEMS}
    assert not any(b"text number" in file.read_bytes() for file in files)
    assert read_log(tmp_path).records == read_log(tmp_path).damaged == ()  # the monitor does not see them


def test_lines_that_cannot_be_written_are_an_error(tmp_path):
    (tmp_path / "file").touch()
    assert write_feedback(tmp_path / "file", LABELS) == 1
    with pytest.raises(UserError, match="1 lines could not be written"):
        require_written(tmp_path, 1)
    with pytest.raises(UserError, match="3 lines could not be written"):
        note_exported(tmp_path / "file", ITEMS, "one.jsonl")


def test_a_log_in_a_bucket_is_read_and_extended(monkeypatch):
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        endpoint = "http://{}:{}".format(*server.get_host_and_port())
        keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
        for name, value in {**keys, "AWS_ENDPOINT_URL": endpoint}.items():
            monkeypatch.setenv(name, value)
        client = boto3.client("s3", endpoint_url=endpoint)
        client.create_bucket(Bucket="logs")
        where = "s3://logs/live"
        with extend_log(where) as folder:
            service = PredictionLog(folder, max_mb=1, keep_text=True, on_drop=print)
            service.add(stream(3)[0])
            service.close()
        with extend_log(where) as folder:
            write_feedback(folder, LABELS)
            note_exported(folder, ITEMS, "one.jsonl")
        with local_log(where) as folder:
            logged = read_log(folder)
            assert (len(logged.records), logged.feedback) == (3, tuple(LABELS))
            assert len(read_exported(folder)) == 3
    finally:
        server.stop()


def test_a_bucket_that_cannot_be_written_is_one_line():
    class Broken:
        def put(self, *_):
            raise PermissionError("Access Denied\nand a trace")

    with pytest.raises(UserError) as caught, extend_log("s3://logs/live", Broken()) as folder:
        write_feedback(folder, LABELS)
    assert str(caught.value).startswith("s3://logs/live: cannot be written: Access Denied. ")
