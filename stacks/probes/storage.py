"""Proves an artifact store: a small object is written, read back and deleted."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from shutil import disk_usage
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sentiment.errors import UserError
from stacks.probes import ANSWER_SECONDS, CONNECT_SECONDS, Unproven
from stacks.probes.credentials import resolved, secret_values
from stacks.stack_file import Stack

if TYPE_CHECKING:
    from botocore.client import BaseClient

CONTENT = b"written by run.py stack check"
JOURNAL = ".sentiment-prune.json"  # beside the artifacts while a deletion is under way: see registry/retention
CREDENTIALS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
OWN_NAMES = dict(zip(CREDENTIALS, ("key", "secret", "token"), strict=True))  # of the flavor's settings
# Answers of S3, by code or status, with their meaning; the first match counts.
REFUSALS = {
    ("NoSuchBucket", "404"): ("there is no bucket {bucket} at {endpoint}", "Create it, or fix its name in path."),
    ("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"): (
        "{endpoint} answers that the key has expired",
        "Get another one, and apply the stack again.",
    ),
    ("AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraintException", "301"): (
        "the bucket {bucket} is in another region ({code})",
        "Set client_kwargs.region_name.",
    ),
    ("RequestTimeTooSkewed",): ("the clock of this machine is not that of {endpoint}", "Set the clock."),
    ("InvalidAccessKeyId", "SignatureDoesNotMatch", "401"): (
        "{endpoint} refuses the key ({code})",
        "Fix the secret of the artifact store.",
    ),
    ("AccessDenied", "403"): (
        "{endpoint} refuses access to the bucket {bucket} ({code})",
        "Fix the secret of the artifact store, or allow its owner to write, read and delete there.",
    ),
    ("SlowDown", "503", "429"): ("{endpoint} is overloaded ({status} {code})", "Try again later."),
}


def prove_artifact_store(stack: Stack) -> str:
    """Writes, reads and deletes.

    Returns:
        The proof, in words.

    Raises:
        UserError: If that fails.
        Unproven: If it is of a flavor that there is no proof for.
    """
    component = stack.components["artifact_store"]
    if component.flavor == "local":
        return _prove_folder(component.configuration.get("path"))
    if component.flavor == "s3":
        return _prove_bucket(stack)
    raise Unproven(f"no proof for the flavor {component.flavor}")


def _prove_folder(path: str | None) -> str:
    folder = Path(path) if path else _zenml_folder()
    probe = folder / f".sentiment-check-{uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(CONTENT)
        same = probe.read_bytes() == CONTENT
    except OSError as error:
        remedy = "Make room, or set its path to another folder."
        raise UserError(f"{folder}: {error.strerror}", remedy=remedy) from error
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
    if not same:
        raise UserError(f"{folder} does not return the bytes that were written", remedy="Check the disk.")
    journals = [*folder.glob(JOURNAL), *(() if path else folder.glob(f"*/{JOURNAL}"))]
    unfinished = "".join(_describe_unfinished(journal.read_bytes()) for journal in journals)
    return f"written, read and deleted; {disk_usage(folder).free / 1e9:,.0f} GB are free{unfinished}"


def _describe_unfinished(journal: bytes) -> str:
    """Describes a deletion that has not finished: it may still run, or it was killed."""
    try:
        started = f" that began {json.loads(journal)['started']}"
    except (ValueError, KeyError, TypeError):
        started = ""
    return f"; a deletion{started} has not finished: if it runs no more, run.py prune finishes it"


def _zenml_folder() -> Path:
    """Where ZenML keeps local artifacts."""
    import click

    configuration = os.environ.get("ZENML_CONFIG_PATH") or click.get_app_dir("zenml")
    return Path(os.environ.get("ZENML_LOCAL_STORES_PATH") or Path(configuration) / "local_stores")


def _prove_bucket(stack: Stack) -> str:
    from botocore.exceptions import BotoCoreError, ClientError

    configuration = stack.components["artifact_store"].configuration
    bucket, _, prefix = str(configuration.get("path", "")).removeprefix("s3://").partition("/")
    key = "/".join(filter(None, (prefix.strip("/"), f".sentiment-check-{uuid4().hex}")))
    try:
        client = _client(configuration, stack)
        client.put_object(Bucket=bucket, Key=key, Body=CONTENT)
        try:
            same = client.get_object(Bucket=bucket, Key=key)["Body"].read() == CONTENT
        finally:
            client.delete_object(Bucket=bucket, Key=key)
        unfinished = _read_journal(client, bucket, "/".join(filter(None, (prefix.strip("/"), JOURNAL))))
    except (BotoCoreError, ClientError, ValueError) as error:
        endpoint = (configuration.get("client_kwargs") or {}).get("endpoint_url") or "AWS S3"
        raise _explained(error, bucket, endpoint) from error
    if not same:
        raise UserError(f"s3://{bucket} does not return the bytes that were written", remedy="Check the S3 server.")
    return f"s3://{bucket}: an object was written, read and deleted{unfinished}"


def _read_journal(client: BaseClient, bucket: str, key: str) -> str:
    from botocore.exceptions import ClientError

    try:
        return _describe_unfinished(client.get_object(Bucket=bucket, Key=key)["Body"].read())
    except ClientError:  # there is none, which S3 calls "access denied" to a user who may not list
        return ""


def _client(configuration: dict[str, Any], stack: Stack) -> BaseClient:
    """S3 as ZenML uses it, but without patience."""
    from botocore.config import Config
    from botocore.session import Session

    settings = resolved(configuration, stack)
    if name := settings.get("authentication_secret"):
        values = secret_values(name, stack)
        credentials = {c: values.get(c) for c in CREDENTIALS}
    else:
        credentials = {c: settings.get(own) for c, own in OWN_NAMES.items()}
    impatient = {
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": ANSWER_SECONDS,
        "retries": {"total_max_attempts": 1},
    }
    config = Config(**{**(settings.get("config_kwargs") or {}), **impatient})
    return Session().create_client("s3", config=config, **credentials, **(settings.get("client_kwargs") or {}))


def _explained(error: Exception, bucket: str, endpoint: str) -> UserError:
    """Returns one line for an error of botocore."""
    from botocore import exceptions as met

    if isinstance(error, met.ClientError):
        code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        return _refused(code, status, bucket, endpoint)
    if isinstance(error, met.ReadTimeoutError):
        return UserError(
            f"{endpoint} does not answer within {ANSWER_SECONDS} s", remedy="Check its load, or try again."
        )
    if isinstance(error, met.ConnectionError | met.HTTPClientError):
        where = "make cloud-up starts this project's server; otherwise fix client_kwargs.endpoint_url."
        return UserError(f"{endpoint} cannot be reached", remedy=f"Is it running? {where}")
    if isinstance(error, met.NoCredentialsError | met.PartialCredentialsError):
        return UserError("no key for S3 was found", remedy="Declare authentication_secret, or log in to AWS.")
    if isinstance(error, met.NoRegionError):
        return UserError("no region is set", remedy="Set client_kwargs.region_name.")
    return UserError(f"{endpoint}: {' '.join(str(error).split())[:200]}", remedy="Fix the artifact store's settings.")


def _refused(code: str, status: int, bucket: str, endpoint: str) -> UserError:
    known = next((words for found, words in REFUSALS.items() if code in found or str(status) in found), None)
    what, remedy = known or ("{endpoint} is failing ({status} {code})", "Check its log, or try again later.")
    return UserError(what.format(code=code, status=status, bucket=bucket, endpoint=endpoint), remedy=remedy)
