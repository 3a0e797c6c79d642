"""The closed loop on the cloud stack; test_continuous.py has its failures."""

import pytest

from stacks.processes import find_program
from tests.helpers import command_line, users
from tests.helpers.loop import Loop, start
from tests.helpers.loopback import free_ports

pytestmark = pytest.mark.skipif(find_program("nginx") is None, reason="nginx is not installed")


@pytest.fixture(scope="module")
def cloud_loop(cloud, folder, reviews_file, promotion):
    """A model on the cloud stack whose version 1 is live."""
    http, grpc = free_ports(2)
    text = (command_line.ROOT / "configs" / "stacks" / "cloud.yaml").read_text()
    for old, new in {
        "env_file: .cloud/env": f"env_file: {cloud.env_file}",
        "http_port: ${SENTIMENT_LIVE_HTTP_PORT:-3100}": f"http_port: {http}",
        "grpc_port: ${SENTIMENT_LIVE_GRPC_PORT:-3101}": f"grpc_port: {grpc}",
        "log_text: ${SENTIMENT_LIVE_LOG_TEXT:-false}": "workers: 1\n      log_text: true",
    }.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "looping-there.yaml").write_text(text)
    yield from start(Loop("looping-there", "looping_there", folder / "there"), reviews_file, promotion)


def test_the_whole_loop_on_the_cloud_stack(cloud_loop, cloud):
    loop, bucket = cloud_loop, cloud.environment["SENTIMENT_S3_BUCKET"]
    loop.use(users.drifted(300, seed=1), labels=300)
    for file in loop.log.iterdir():  # as a service elsewhere ships its log
        cloud.bucket().upload_file(str(file), bucket, f"served/{file.name}")
    found = loop.monitor("--set", f"window.log=s3://{bucket}/served").summary
    assert (found["action"], found["predictions"], found["told"]) == ("retrain", 300, True)

    with users.constant_traffic(loop.http):
        turn = loop.turn().summary
    assert (turn["outcome"], turn["reason"]) == ("switched", "version 1 -> 2"), turn["reason"]
    assert turn["monitor"]["findings"] == found["findings"]
    assert (turn["monitor"]["told"], len(loop.alerts)) == (False, 1)  # the monitoring run sent it
    assert loop.state == ("2", "2", [])
