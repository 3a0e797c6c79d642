"""ZenML's local database keeps secrets as plain text unless it has a key: here it gets one of this machine's own."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

from sentiment.errors import UserError

if TYPE_CHECKING:
    from zenml.zen_stores.sql_zen_store import SqlZenStore

KEY_FILE = "sentiment-secrets.key"  # in the folder of ZenML's configuration
PRIVATE = 0o600
VARIABLE = "ZENML_SECRETS_STORE_ENCRYPTION_KEY"


def require_encryption() -> None:
    """Sees to it that the ZenML in use encrypts secrets; a local database without a key gets one, for good.

    Raises:
        UserError: If another server must encrypt them, and does not.
    """
    from zenml.config.global_config import GlobalConfiguration
    from zenml.enums import SecretsStoreType, StoreType

    store = GlobalConfiguration().zen_store
    if store.type != StoreType.SQL:
        if store.is_local_store():
            _require_encrypting_server(store.url)
        return
    secrets = store.config.secrets_store
    if secrets is None or secrets.type != SecretsStoreType.SQL or getattr(secrets, "encryption_key", None):
        return
    if not store.url.startswith("sqlite:"):
        remedy = f"Set {VARIABLE}, the same for everyone."
        raise UserError("keeps secrets in plain text", where="ZenML's database", remedy=remedy)
    _encrypt(store)  # type: ignore[arg-type] # the result type of SQL


def configuration_folder() -> Path:
    """Where ZenML keeps its configuration; found without importing it."""
    import click

    return Path(os.environ.get("ZENML_CONFIG_PATH") or click.get_app_dir("zenml"))


def key_environment() -> dict[str, str]:
    """Variables by which a server on ZenML's local database encrypts, too; none if that has no key."""
    path = configuration_folder() / KEY_FILE
    return {"ZENML_SECRETS_STORE_TYPE": "sql", VARIABLE: _read_or_make(path)} if path.exists() else {}


def _encrypt(store: SqlZenStore) -> None:
    """Encrypts the secrets in the database, then makes ZenML use the key; continues an interrupted call."""
    from pydantic import SecretStr
    from sqlalchemy_utils.types.encrypted.encrypted_type import AesGcmEngine
    from sqlmodel import Session, select, text
    from zenml.config.global_config import GlobalConfiguration
    from zenml.zen_stores.schemas import SecretSchema
    from zenml.zen_stores.schemas.secret_schemas import SecretDecodeError
    from zenml.zen_stores.secrets_stores.sql_secrets_store import SqlSecretsStoreConfiguration

    configuration = GlobalConfiguration()
    key = _read_or_make(configuration_folder() / KEY_FILE)
    engine = AesGcmEngine()
    engine._update_key(key)  # as ZenML does it
    with Session(store.engine) as session:
        for secret in session.exec(select(SecretSchema).where(SecretSchema.values.is_not(None))):  # type: ignore[union-attr]
            with suppress(SecretDecodeError):  # it is encrypted already
                secret.set_secret_values(secret.get_secret_values(None), engine)
                session.add(secret)
        session.commit()
        session.exec(text("VACUUM"))  # type: ignore[call-overload] # deleted values stay in the file until then
    (configuration_folder() / "config.yaml").chmod(PRIVATE)  # ZenML writes the key into it
    secrets_store = SqlSecretsStoreConfiguration(encryption_key=SecretStr(key))
    configuration.set_store(store.config.model_copy(update={"secrets_store": secrets_store}))


def _read_or_make(path: Path) -> str:
    """Reads the key, or creates it atomically."""
    if not path.exists():
        new = path.with_name(f".{path.name}.{os.getpid()}")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "w", encoding="utf-8") as file:
            file.write(token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(new)  # fails where another process was faster
        except FileExistsError:
            pass
        finally:
            new.unlink()
    return path.read_text(encoding="utf-8").strip()


def _require_encrypting_server(url: str) -> None:
    """Checks that the server of the local dashboard was started with a key."""
    import sqlite3
    from base64 import b64decode
    from binascii import Error

    from zenml.client import Client
    from zenml.config.global_config import GlobalConfiguration

    database = GlobalConfiguration().get_default_store().url.removeprefix("sqlite:///")
    probe = Client().create_secret(f"probe-{token_hex(8)}", {"probe": "nothing"})
    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5) as connection:
            rows = connection.execute('SELECT "values" FROM secret WHERE name = ?', (probe.name,)).fetchall()
    finally:
        Client().zen_store.delete_secret(probe.id)
    try:
        plain = any(b"nothing" in b64decode(row[0]) for row in rows)
    except Error:
        plain = False
    if plain:
        raise UserError(
            "keeps secrets in plain text",
            where=f"ZenML's server {url}",
            remedy="Stop it by zenml logout --local; apply the stack; make dashboard then starts it with a key.",
        )
