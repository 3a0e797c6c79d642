"""Reviews from a database, by any SQLAlchemy URL and a query. No message shows a password."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentiment.errors import UserError

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import URL, CursorResult, Row

_SECONDS = 15  # to wait for a connection
_SECRET = r"pass|pwd|secret|token|key|connect$"  # names of options; odbc_connect holds a whole connection string
_CONNECT: dict[str, dict[str, Any]] = {
    "postgresql": {"connect_timeout": _SECONDS},
    "mysql": {"connect_timeout": _SECONDS},
    "mariadb": {"connect_timeout": _SECONDS},
    "sqlite": {"timeout": _SECONDS},
    "snowflake": {"login_timeout": _SECONDS},
}
BATCH_ROWS = 10_000  # fetched together


def read(url: str, query: str | None) -> pd.DataFrame:
    """Runs a query; holds the result in compact columns, and only a batch of it as Python objects.

    Args:
        url: A SQLAlchemy URL, or ``$NAME`` for one in the environment.
        query: The SELECT statement.

    Returns:
        The rows as the database types them.

    Raises:
        UserError: If there is no query, the driver is missing, or database or query fail.
    """
    import pandas as pd

    batches = [pd.DataFrame(rows, columns=names) for names, rows in stream(url, query)]
    return pd.concat(batches, ignore_index=True)


def stream(url: str, query: str | None, *, rows: int = BATCH_ROWS) -> Iterator[tuple[list[str], list[Row[Any]]]]:
    """Runs a query with a cursor on the server, so that a result of any size needs little memory.

    Args:
        url: As for :func:`read`.
        query: As for :func:`read`.
        rows: Rows that are fetched together.

    Yields:
        The names of the columns, and the next rows; once without rows if the result is empty.

    Raises:
        UserError: As for :func:`read`.
    """
    with _running(url, query, stream_results=True, max_row_buffer=rows) as result:
        names = list(result.keys())
        yield names, list(result.fetchmany(rows))
        while some := list(result.fetchmany(rows)):
            yield names, some


@contextmanager
def _running(url: str, query: str | None, **options: object) -> Iterator[CursorResult[Any]]:
    """Runs a query; turns every error of the block into one line."""
    import sqlalchemy

    parsed, where = _parse(url), address(url)
    if not query:
        raise UserError(
            "a database needs a `query`", where=where, remedy="e.g. query: SELECT text, label FROM reviews."
        )
    if parsed.get_backend_name() == "sqlite" and parsed.database and not Path(parsed.database).is_file():
        raise UserError("no such database file", where=where)  # SQLite would make an empty one
    try:
        engine = sqlalchemy.create_engine(parsed, connect_args=_CONNECT.get(parsed.get_backend_name(), {}))
    except (ImportError, sqlalchemy.exc.ArgumentError) as error:
        raise UserError(
            f"no driver for this database: {_reason(error, parsed)}", where=where, remedy="Install its Python driver."
        ) from None
    try:
        with engine.connect() as connection:
            # as it is written: neither a colon nor a percent sign stands for a parameter
            yield connection.execution_options(no_parameters=True, **options).exec_driver_sql(query)
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise UserError(
            f"the query failed: {_reason(error, parsed)}", where=where, remedy="Check the URL and `query`."
        ) from None
    finally:
        engine.dispose()


def address(url: str) -> str:
    """The URL as it may be shown: without password and options."""
    return f"sql:{_parse(url).set(query={}).render_as_string(hide_password=True)}"


def holds_secret(url: str) -> bool:
    """Whether a URL, itself and not by the name of a variable, holds a password or an option that may be one."""
    if url.startswith("$"):
        return False
    parsed = _parse(url)
    return bool(parsed.password) or any(re.search(_SECRET, option, re.IGNORECASE) for option in parsed.query)


def _parse(url: str) -> URL:
    import sqlalchemy

    variable = re.fullmatch(r"\$(?:(\w+)|\{(\w+)\})", url)
    if variable:
        name = variable[1] or variable[2]
        if name not in os.environ:
            raise UserError("this environment variable is not set", where=f"sql:{url}")
        url = os.environ[name]
    try:
        return sqlalchemy.make_url(url)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise UserError(
            "not a database URL", where="sql:", remedy="Write sql:dialect://user:password@host/database or sql:$NAME."
        ) from None


def _reason(error: Exception, url: URL) -> str:
    """First line of the driver's own message, without the password if it repeats it."""
    original = getattr(error, "orig", None) or error
    reason = (str(original).strip() or type(original).__name__).splitlines()[0][:200]
    password = str(url.password or "")
    return reason.replace(password, "***") if password else reason
