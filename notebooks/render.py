"""Runs the notebooks and writes them as pages: ``make notebooks``.

The pages use the style of the project's own pages: they are readable on light and dark paper, run no script and load
nothing. The notebooks themselves stay without outputs.
"""

from __future__ import annotations

import logging
import os
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbformat import NotebookNode

FOLDER = Path(__file__).resolve().parent
NOTEBOOKS = tuple(sorted(FOLDER.glob("*.ipynb")))
TIMEOUT_S = 3600  # of a cell
STYLE = """
.highlight { background: var(--wash); margin: .7rem 0; border-radius: .5rem; padding: .7rem 1rem;
  overflow-x: auto; font-size: .82rem; }
.highlight pre { margin: 0; } .anchor-link { display: none; } .output_area { margin: .8rem 0; }
.highlight :is(.k, .kn, .kc, .ow) { color: var(--accent); } .highlight :is(.s1, .s2, .sa, .si) { color: var(--good); }
.highlight .c1 { color: var(--soft); } .highlight :is(.mi, .mf) { color: var(--warn); }
"""


def execute(notebook: Path, config: str | None = None) -> NotebookNode:
    """Runs a notebook in a new kernel of this Python, and returns it with its outputs; the file stays as it is.

    Args:
        notebook: The file.
        config: Settings of the train pipeline; None: the notebook's own choice.

    Raises:
        nbclient.exceptions.CellExecutionError: If a cell fails.
    """
    import nbformat
    from nbclient import NotebookClient
    from traitlets.config import Config

    with tempfile.TemporaryDirectory() as sockets:
        client = NotebookClient(
            nbformat.read(notebook, as_version=4),
            kernel_name="python3",
            config=Config(KernelManager={"transport": "ipc", "ip": f"{sockets}/kernel"}),  # no network
            timeout=TIMEOUT_S,
            resources={"metadata": {"path": str(notebook.parent)}},
        )
        quiet = {"PYTHONWARNINGS": "ignore:IProgress not found"}  # bars of progress, which a page cannot show
        return client.execute(env=os.environ | quiet | ({"NOTEBOOK_CONFIG": config} if config else {}))


def render(notebook: NotebookNode) -> str:
    """Returns a notebook that was run as a page that needs no other file."""
    from nbconvert import HTMLExporter

    from sentiment.pages.html import Html, page

    shown = deepcopy(notebook)
    title, _, shown.cells[0].source = shown.cells[0].source.partition("\n")
    exporter = HTMLExporter(template_name="basic", exclude_input_prompt=True, exclude_output_prompt=True)
    body, _ = exporter.from_notebook_node(shown)
    return page(title.removeprefix("# "), Html(f"<style>{STYLE}</style>"), Html(body))


def main() -> None:
    """Runs every notebook, and writes its page to ``docs/notebooks/``."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    pages = FOLDER.parent / "docs" / "notebooks"
    pages.mkdir(exist_ok=True)
    for notebook in NOTEBOOKS:
        target = pages / f"{notebook.stem}.html"
        target.write_text(render(execute(notebook)), encoding="utf-8")
        logging.info("%s", target)


if __name__ == "__main__":
    main()
