"""Datasets of the Hugging Face hub."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment.errors import UserError
from sentiment.hashing import sha256

if TYPE_CHECKING:
    import pandas as pd

_SECONDS = 15  # to wait for the hub's first answer


@dataclass(frozen=True)
class HubAddress:
    """The parts of an address after ``hub:``."""

    dataset: str
    config: str | None
    split: str

    @property
    def name(self) -> str:
        """The dataset without its owner."""
        return self.dataset.rsplit("/", 1)[-1]

    @property
    def folder(self) -> Path | None:
        """The dataset's folder, if it is one on this machine."""
        path = Path(self.dataset).expanduser()
        return path if path.is_dir() else None


def parse(address: str) -> HubAddress:
    """Takes ``dataset[@config][:split]`` apart; a folder is a dataset, too, and the split is by default ``train``.

    Raises:
        UserError: If the address has another shape.
    """
    match = re.fullmatch(r"([\w./~-]+)(?:@([\w.-]+))?(?::([\w.-]+))?", address)
    if match is None:
        raise UserError("not a dataset", where=f"hub:{address}", remedy="Write hub:<dataset>[@config][:split].")
    return HubAddress(match[1], match[2], match[3] or "train")


def read(address: str) -> pd.DataFrame:
    """Downloads one split of a dataset, or takes it from the local cache if ``HF_HUB_OFFLINE`` is set.

    Returns:
        The rows; class numbers are replaced by the names of the classes.

    Raises:
        UserError: If the hub cannot be reached in bounded time, or it has no such dataset, config or split.
    """
    import datasets
    from huggingface_hub import constants

    wanted = parse(address)
    if not constants.HF_HUB_OFFLINE and not wanted.folder:
        _ask_revision(wanted, address)  # load_dataset retries for minutes if the hub does not answer
    try:
        rows = datasets.load_dataset(wanted.dataset, wanted.config, split=wanted.split)
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        raise _unreadable(address, error) from error
    frame: pd.DataFrame = rows.to_pandas()
    for name, feature in rows.features.items():
        if isinstance(feature, datasets.ClassLabel):
            frame[name] = [feature.int2str(int(code)) if code >= 0 else code for code in frame[name]]
    return frame


def revision(address: str) -> str:
    """Returns the commit of the dataset, or a mark that the hub is unreachable (then the address alone names it)."""
    wanted = parse(address)
    if wanted.folder:
        digest = hashlib.sha256()
        for file in sorted(path for path in wanted.folder.rglob("*") if path.is_file()):
            digest.update(str(file.relative_to(wanted.folder)).encode() + sha256(file).encode())
        return f"{address}:{digest.hexdigest()}"
    try:
        return f"{address}:{_ask_revision(wanted, address)}"
    except UserError:
        return f"{address}:unknown-revision"


def _ask_revision(wanted: HubAddress, address: str) -> str:
    import httpx2  # the HTTP library of huggingface_hub
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        return str(HfApi().dataset_info(wanted.dataset, timeout=_SECONDS).sha)
    except (OSError, httpx2.HTTPError, HfHubHTTPError, OfflineModeIsEnabled) as error:
        raise _unreadable(address, error) from error


def _unreadable(address: str, error: Exception) -> UserError:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    if "config name is missing" in lines[0].casefold() and len(lines) > 1:  # the second line lists them
        names = lines[1].partition("[")[2].partition("]")[0][:1000]
        return UserError(
            f"has several configs: {names}", where=f"hub:{address}", remedy="Name one: hub:<dataset>@<config>."
        )
    return UserError(
        f"cannot be read from the hub: {lines[0][:200].rstrip('.')}",
        where=f"hub:{address}",
        remedy="Check the name and the network; HF_HUB_OFFLINE=1 takes a set that is already in the local cache.",
    )
