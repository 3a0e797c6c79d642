"""A job: plans its input, scores what is not finished, and writes the manifest and the output.

Its folder holds ``manifest.json``, ``parts/``, ``rejects/``, ``done/`` with a record of each shard whose part is
whole, and while it runs ``spool/`` with an input that cannot be read twice. A part is named by its shard and depends on
nothing else, so a killed job goes on where it was and ends with the same bytes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pydantic import ValidationError

from sentiment import progress
from sentiment.errors import UserError
from sentiment.reviews import databases
from sentiment.scoring.manifest import InputFacts, JobManifest, ModelFacts
from sentiment.scoring.outputs import join
from sentiment.scoring.plan import Plan, Shard, find_files, make_plan
from sentiment.scoring.results import ShardResult, Tally
from sentiment.scoring.scorer import DONE, PARTS, REJECTS, ShardTask
from sentiment.scoring.settings import WITHOUT_EFFECT, OutputFormat, ScoreSettings
from sentiment.scoring.storage import UNFINISHED, Storage, absolute

if TYPE_CHECKING:
    import pyarrow as pa

    from sentiment.scoring.workers import Workers

MANIFEST, SPOOL, LOCK = "manifest.json", "spool", "lock"
SAMPLE_ROWS = 3000  # for the comparison with the reference
OUTPUT_SUFFIXES: dict[str, OutputFormat] = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}


@dataclass(frozen=True)
class Target:
    """Where the result goes.

    Attributes:
        output: The output as it was named.
        folder: The job's folder: the output itself, or beside it if that is one file.
        form: Format of the parts.
        is_file: Whether the parts are joined to one file.
    """

    output: str
    folder: str
    form: OutputFormat
    is_file: bool

    @classmethod
    def of(cls, output: str, output_format: OutputFormat | None) -> Target:
        """Reads the kind of an output from its name.

        Raises:
            UserError: If the name has a suffix that cannot be written.
        """
        output = absolute(output)
        suffix = PurePosixPath(output).suffix.lower()
        if suffix in (".gz", ".zst", ".bz2", ".tsv", ".xlsx", ".json"):
            known = ", ".join(OUTPUT_SUFFIXES)
            raise UserError(
                f"cannot write {suffix} files", where=f"output {output}", remedy=f"Name a folder or one of {known}."
            )
        by_suffix = OUTPUT_SUFFIXES.get(suffix)
        if by_suffix and output_format not in (None, by_suffix):
            raise UserError(
                f"output_format is {output_format}", where=f"output {output}", remedy="Set one of the two only."
            )
        if by_suffix:
            return cls(output, f"{output}.job", by_suffix, is_file=True)
        return cls(output, output, output_format or "parquet", is_file=False)


@dataclass(frozen=True)
class JobResult:
    """A finished job.

    Attributes:
        manifest: Its manifest.
        tally: The results of every shard.
        new_rows: Rows of the shards that this run scored.
        seconds: Time in which it scored them.
    """

    manifest: JobManifest
    tally: Tally
    new_rows: int
    seconds: float


def prepare_folder(target: Target, storage: Storage, *, restart: bool) -> None:
    """Makes the job's folder ready: empty, or with what an earlier run of the job has finished.

    Only what a job has written is ever removed.

    Raises:
        UserError: If the output holds files that no job has written.
    """
    if target.is_file and storage.is_folder(target.output):
        raise UserError("is a folder", where=f"output {target.output}", remedy="Name another output.")
    if storage.is_file(f"{target.folder}/{MANIFEST}"):
        if restart:
            for name in (DONE, PARTS, REJECTS, SPOOL, MANIFEST):  # a part without its record counts as unfinished
                storage.remove(f"{target.folder}/{name}")
        else:
            for path in storage.find(target.folder):
                if path.endswith(UNFINISHED):
                    storage.remove(path)
        return
    before_manifest = (SPOOL, LOCK)
    found = [
        path
        for path in storage.find(target.folder)
        if _first_folder(path, target.folder) not in before_manifest and not path.endswith(UNFINISHED)
    ]
    if target.is_file and not restart and storage.is_file(target.output):
        found.append(target.output)
    if found:
        raise UserError(
            f"holds files that no job has written, such as {found[0]}",
            where=f"output {target.output}",
            remedy="Name another output" + (", or replace it with --restart." if target.is_file else "."),
        )


def run_job(
    address: str,
    target: Target,
    model: tuple[str, str, str],
    settings: ScoreSettings,
    storage: Storage,
    workers: Workers,
    *,
    default_text_column: str = "text",
) -> JobResult:
    """Scores an input, or what an earlier run has left of it.

    Args:
        address: File, glob or folder, on disk or on S3.
        target: Where the result goes; its folder is prepared.
        model: Name, version and fingerprint.
        settings: The settings of the job.
        storage: Reads and writes files.
        workers: Plan and score.
        default_text_column: Column of the text, if the settings name none.

    Raises:
        UserError: If the input cannot be read, or is not the one that the job began with.
    """
    plan = _plan(address, target, settings, storage, workers, default_text_column)
    manifest = _manifest(plan, model, settings, target, workers.engine())
    earlier = _read_manifest(target.folder, storage)
    if earlier is None:
        _write_manifest(manifest, target.folder, storage)
    elif changed := earlier.difference(manifest):
        raise UserError(
            f"this job has begun, but {changed}",
            where=f"output {target.output}",
            remedy="Begin anew with --restart, or name another output.",
        )
    is_joined = target.is_file and earlier is not None and earlier.complete
    tally = _read_finished(plan, target, storage, is_joined=is_joined)
    left = [shard for shard in plan.shards if shard.index not in tally.shards]
    start, new_rows, old_rows = time.monotonic(), 0, plan.rows - sum(shard.rows for shard in left)
    for result in workers.run("score", _tasks(plan, left, target, settings)):
        tally.add(result)
        new_rows += result.rows
        speed = new_rows / (time.monotonic() - start)
        progress.report("score", old_rows + new_rows, plan.rows, **{"rows/s": speed})
    seconds = time.monotonic() - start
    if target.is_file and (left or not is_joined):
        _join_parts(plan, settings, target, storage)
    complete = _complete(manifest, tally)
    if complete != earlier:
        _write_manifest(complete, target.folder, storage)
    for name in (SPOOL, *((PARTS,) if target.is_file else ())):
        storage.remove(f"{target.folder}/{name}")
    return JobResult(complete, tally, new_rows, seconds)


def _plan(
    address: str,
    target: Target,
    settings: ScoreSettings,
    storage: Storage,
    workers: Workers,
    default_text_column: str,
) -> Plan:
    address = absolute(address)
    files = find_files(address, storage, settings)
    _refuse_overlap(address, [file.path for file in files], target)
    planned = {}
    for done, found in enumerate(workers.run("plan", files)):
        progress.report("plan", done, len(files))
        planned[found.file.path] = found
    plan = make_plan([planned[file.path] for file in files], settings, default_text_column)
    if not plan.rows:
        raise UserError("there are no rows", where=f"input {address}")
    return plan


def _refuse_overlap(address: str, files: Sequence[str], target: Target) -> None:
    """Refuses an output that is part of the input: a later run would score it, too."""
    if address.startswith(f"{target.folder}/{SPOOL}"):
        return
    written = PurePosixPath(target.folder, PARTS, f"part.{target.form}")
    inside = f"{target.output}/".startswith(f"{address}/") or any(
        path.match(address) or ("**" in address and str(path).startswith(address.partition("**")[0]))
        for path in (written, PurePosixPath(target.output))
    )
    if inside or any(path == target.output or path.startswith(f"{target.folder}/") for path in files):
        raise UserError("lies in the input", where=f"output {target.output}", remedy="Name another output.")


def _tasks(plan: Plan, shards: Sequence[Shard], target: Target, settings: ScoreSettings) -> Iterator[ShardTask]:
    sample = -(-SAMPLE_ROWS // len(plan.shards))
    every = -(-len(plan.shards) // SAMPLE_ROWS)  # of more shards than rows are wanted, some give none
    for shard in shards:
        planned = plan.files[shard.file]
        name = _name(planned.file.path, target, settings)
        yield ShardTask(
            shard=shard,
            file=planned.file,
            stamp=planned.stamp,
            file_schema=planned.schema,
            schema=plan.schema,
            text_column=plan.text_column,
            sample_rows=sample if shard.index % every == 0 else 0,
            name=name,
        )


def _name(path: str, target: Target, settings: ScoreSettings) -> str:
    """Names a file for users: a copy of the input, which does not stay, by the input and its own name."""
    if not path.startswith(f"{target.folder}/{SPOOL}/"):
        return path
    return f"{show_input(settings)}#{PurePosixPath(path).name}"


def show_input(settings: ScoreSettings) -> str:
    """Returns the input as it was named, without a password."""
    kind, _, address = (settings.input or "").partition(":")
    return databases.address(address) if kind == "sql" else settings.input or ""


def _manifest(
    plan: Plan, model: tuple[str, str, str], settings: ScoreSettings, target: Target, engine: str
) -> JobManifest:
    name, version, fingerprint = model
    values = settings.model_dump(mode="json", exclude=set(WITHOUT_EFFECT))
    is_copied = plan.files[0].file.path.startswith(f"{target.folder}/{SPOOL}/")
    copied = {"input": show_input(settings)} if is_copied else {}  # other inputs are known by their files
    return JobManifest(
        model=ModelFacts(name=name, version=version, fingerprint=fingerprint, engine=engine),
        settings=values | {"output_format": target.form, "text_column": plan.text_column} | copied,
        inputs=tuple(InputFacts(path=f.file.path, size=f.size, digest=f.digest) for f in plan.files),
        shards=plan.shards,
        rows=plan.rows,
    )


def _complete(manifest: JobManifest, tally: Tally) -> JobManifest:
    totals = tally.totals
    if totals.rows != manifest.rows:
        raise RuntimeError(f"{manifest.rows} rows went in, {totals.scored} and {totals.rejections} rejects came out")
    return manifest.model_copy(update={"complete": True, "scored": totals.scored, "rejected": totals.rejected})


def _join_parts(plan: Plan, settings: ScoreSettings, target: Target, storage: Storage) -> None:
    """Writes the one file of the output."""
    parts = [f"{target.folder}/{PARTS}/{shard.part}.{target.form}" for shard in plan.shards]

    def contents() -> Iterator[bytes]:
        for number, path in enumerate(parts):
            progress.report("join parts", number, len(parts))
            yield storage.read(path)

    with storage.write(target.output) as sink:
        join(contents(), target.form, result_schema(plan.schema, settings), sink)


def result_schema(schema: pa.Schema, settings: ScoreSettings) -> pa.Schema:
    """Returns the columns of the result for an input with these columns."""
    import pyarrow as pa

    types = (pa.string(), pa.float64(), pa.float64(), pa.bool_(), pa.string())
    added = [pa.field(name, kind) for name, kind in zip(settings.columns.names, types, strict=True)]
    return pa.schema([*schema, *added], metadata=schema.metadata)


def _read_manifest(folder: str, storage: Storage) -> JobManifest | None:
    path = f"{folder}/{MANIFEST}"
    if not storage.is_file(path):
        return None
    try:
        return JobManifest.model_validate_json(storage.read(path))
    except ValidationError:
        raise UserError("is no manifest that this version reads", where=path, remedy="Begin with --restart.") from None


def _write_manifest(manifest: JobManifest, folder: str, storage: Storage) -> None:
    storage.put(f"{folder}/{MANIFEST}", json.dumps(manifest.model_dump(mode="json"), indent=1).encode() + b"\n")


def _read_finished(plan: Plan, target: Target, storage: Storage, *, is_joined: bool) -> Tally:
    """Adds up the shards whose part is there; the parts of a joined output are gone, so it is whole or nothing."""
    if is_joined:
        parts = {shard.part for shard in plan.shards} if storage.is_file(target.output) else set()
    else:
        parts = {PurePosixPath(path).stem for path in storage.find(f"{target.folder}/{PARTS}")}
    records = [path for path in storage.find(f"{target.folder}/{DONE}") if PurePosixPath(path).stem in parts]
    tally = Tally()
    for content in storage.read_all(records):
        with suppress(ValidationError):  # of another version of this code: the shard is scored again
            tally.add(ShardResult.model_validate_json(content))
    return Tally() if is_joined and len(tally.shards) < len(plan.shards) else tally


def _first_folder(path: str, folder: str) -> str:
    """Returns the first name of a path below a folder."""
    return path.removeprefix(folder).lstrip("/").partition("/")[0]
