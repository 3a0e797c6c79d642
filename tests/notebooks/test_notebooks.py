"""The notebooks run on the smoke data, and their pages need no other file and hold no review."""

import ast
import html
import importlib.metadata
import json
import re
import sys
from pathlib import Path

import pytest

from notebooks.render import NOTEBOOKS, execute, render

ROOT = Path(__file__).resolve().parents[2]
SMOKE = "configs/train.smoke.yaml"
MAX_CELLS = 14
PLOTS = {
    "01_data_exploration": ["stacked", "histogram", "stacked"],
    "02_model_development": ["signed", "estimates", "intervals"],
    "03_results_analysis": ["reliability", "precision-recall", "intervals", "stacked", "stacked", "intervals"],
}

each_notebook = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)


def cells(notebook: Path) -> list[dict]:
    return json.loads(notebook.read_text())["cells"]


def imported(notebook: Path) -> set[str]:
    """Names of the top-level packages that the notebook imports."""
    found = set()
    for cell in cells(notebook):
        for node in ast.walk(ast.parse("".join(cell["source"]) if cell["cell_type"] == "code" else "")):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module)
    return {name.split(".")[0] for name in found}


def test_every_notebook_has_its_plots_listed_here():
    assert [path.stem for path in NOTEBOOKS] == list(PLOTS)


@each_notebook
def test_it_is_short_and_kept_without_outputs(notebook):
    assert len(cells(notebook)) <= MAX_CELLS
    for cell in cells(notebook):
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@each_notebook
def test_it_imports_only_the_project_and_pinned_packages(notebook):
    pins = "\n".join(path.read_text().lower() for path in ROOT.glob("requirements*.txt"))
    distributions = importlib.metadata.packages_distributions()
    for name in imported(notebook) - sys.stdlib_module_names:
        pinned = any(f"\n{owner.lower()}==" in pins for owner in distributions.get(name, ()))
        assert pinned or (ROOT / name).is_dir(), name


def cells_like_tuples(page: str) -> list[str]:
    """Table cells of a page that show how Python writes a tuple or a list of strings."""
    found = re.findall(r"<td[^>]*>(.*?)</td>", page, flags=re.DOTALL)
    return [cell for cell in found if re.match(r"[(\[]['\"]", html.unescape(cell))]


@each_notebook
def test_its_page_shows_words_in_its_tables(notebook):
    page = (ROOT / "docs" / "notebooks" / f"{notebook.stem}.html").read_text()
    assert not cells_like_tuples(page)


def test_the_last_cell_of_the_analysis_shows_words():
    from sentiment.evaluation.bootstrap import Interval
    from sentiment.evaluation.leaderboard import Leaderboard, LeaderboardRow

    share = Interval(value=0.9, low=0.8, high=0.95)
    row = LeaderboardRow(
        candidate="svm", kind="linear", accuracy=share, sentences=None, behaviour_failed=None, behaviour_cases=0,
        ece=share, size_mb=1, p95_ms=1, reviews_per_second=1, training_seconds=None, cross_validation=None,
    )  # fmt: skip
    board = Leaderboard(reviews=9, sentences=None, folds=0, rows=(row,))
    sources = ["".join(cell["source"]) for cell in cells(NOTEBOOKS[-1]) if cell["cell_type"] == "code"]
    imports = [line for line in "\n".join(sources).splitlines() if line.startswith("from sentiment.pages")]
    names = {"build_leaderboard": lambda *_: board, "HTML": lambda shown: names.update(page=shown)}
    names |= dict.fromkeys(("evaluations", "behaviours", "manifests"))
    exec("\n".join([*imports, sources[-1]]), names)
    assert "<td>svm<small>linear</small></td>" in names["page"]
    assert not cells_like_tuples(names["page"])


@pytest.fixture(scope="module")
def reviews() -> list[str]:
    """The beginnings of all reviews of the smoke data that are too long to stand in a page by chance."""
    from pipelines.settings import read_train_settings
    from sentiment.reviews.cleaning import clean
    from sentiment.reviews.sources import load_reviews

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        settings = read_train_settings(Path(SMOKE), ())
    texts = map(clean, load_reviews(settings.source, seed=settings.seed).frame["text"])
    return [text[:30] for text in texts if len(text) > 30]


@pytest.mark.slow
@each_notebook
def test_it_runs_on_the_smoke_data_and_shows_its_plots_and_no_review(notebook, reviews):
    run = execute(notebook, SMOKE)
    outputs = [output for cell in run.cells for output in cell.get("outputs", ())]
    assert {output["output_type"] for output in outputs} == {"execute_result"}  # no warnings
    assert not cells_like_tuples(render(run))
    page = html.unescape(render(run))
    assert re.findall(r'<svg.*?<g id="([a-z-]+?)-figure_1"', page, flags=re.DOTALL) == PLOTS[notebook.stem]
    assert not [text for text in reviews if text in page]
    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?!#)', page)


@pytest.mark.slow
def test_a_cell_that_fails_stops_the_rendering(tmp_path):
    from nbclient.exceptions import CellExecutionError

    broken = json.loads(NOTEBOOKS[0].read_text())
    broken["cells"] = broken["cells"][:3]
    file = tmp_path / "broken.ipynb"  # outside the repository
    file.write_text(json.dumps(broken))
    with pytest.raises(CellExecutionError, match="StopIteration"):
        execute(file, SMOKE)
