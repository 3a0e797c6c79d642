"""Reads runs back from the files of further experiment trackers, without their clients."""

import json
import sqlite3
import struct
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

BLOCK, HEADER = 32_768, struct.Struct("<IHB")  # of LevelDB's log format: checksum, length, kind
FULL, LAST = 1, 4  # kinds of chunks that end a record


def read_wandb(folder: Path) -> list[SimpleNamespace]:
    """The offline runs below W&B's folder, oldest first: name, metrics and config."""
    return [_wandb_run(file) for file in sorted(folder.glob("wandb/offline-run-*/*.wandb"))]


def _wandb_run(file: Path) -> SimpleNamespace:
    from wandb.proto.wandb_internal_pb2 import Record

    run = SimpleNamespace(name=None, metrics={}, config={})
    for content in _records(file.read_bytes()):
        record = Record.FromString(content)
        run.name = record.run.display_name or run.name
        run.config |= {item.key: json.loads(item.value_json) for item in record.run.config.update if item.key}
        for item in record.history.item:
            key = item.key or ".".join(item.nested_key)
            if not key.startswith("_"):
                run.metrics[key] = json.loads(item.value_json)
    return run


def _records(log: bytes):
    assert log[:4] == b":W&B"
    at, record = HEADER.size, b""
    while at + HEADER.size <= len(log):
        if BLOCK - at % BLOCK < HEADER.size:  # padding at the end of a block
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = HEADER.unpack_from(log, at)
        record += log[at + HEADER.size : at + HEADER.size + length]
        at += HEADER.size + length
        if kind in (FULL, LAST):
            yield record
            record = b""


def read_trackio(folder: Path, project: str = "sentiment") -> list[SimpleNamespace]:
    """The runs in trackio's file, oldest first: name, metrics and config."""
    with closing(sqlite3.connect(folder / f"{project}.db")) as connection:
        configs = dict(connection.execute("SELECT run_id, config FROM configs"))
        found = connection.execute("SELECT run_id, run_name, metrics FROM metrics ORDER BY id").fetchall()
    return [
        SimpleNamespace(name=name, metrics=json.loads(metrics), config=json.loads(configs[run]))
        for run, name, metrics in found
    ]
