"""The lines that are shown while a library tries again."""

import io
import logging

import pytest
from rich.console import Console

from cli.faults import show_retries


@pytest.mark.parametrize(
    ("module", "service"), [("aiobotocore/retries/standard.py", "S3"), ("botocore/retries/standard.py", "AWS")]
)
def test_the_line_names_the_service_that_is_tried_again(module, service):
    """Both modules use the same logger: s3fs uses the first one, the model deployer the second one."""
    shown = io.StringIO()
    with show_retries(Console(file=shown)):
        message = "Retry needed, retrying request after delay of: %s"
        logger = logging.getLogger("botocore.retries.standard")
        logger.handle(logger.makeRecord(logger.name, logging.DEBUG, f"/packages/{module}", 1, message, (1.0,), None))
    assert shown.getvalue() == f"! {service} does not answer properly: trying again\n"
