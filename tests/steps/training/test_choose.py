"""The challenger is the best candidate on the validation split."""

from dataclasses import replace

import pytest

from sentiment.models.servable import Servable
from sentiment.reviews.table import Reviews, Splits
from steps.training.choose import choose
from tests.helpers import tiny_servables
from tests.helpers import tiny_transformer as tiny

FIGURES = {"accurate": (0.95, 0.49), "balanced": (0.93, 0.75), "old": (0.90, None)}  # accuracy, macro-F1


@pytest.fixture(scope="module")
def servables(tmp_path_factory):
    made = {}
    for name, (accuracy, macro_f1) in FIGURES.items():
        saved = tiny_servables.save_linear(tmp_path_factory.mktemp(name))
        replace(saved.manifest, validation_accuracy=accuracy, validation_macro_f1=macro_f1).write(saved.path)
        made[name] = Servable(saved.path)
    return made


def splits(positives):
    frame = tiny.reviews(40, seed=1).frame.assign(label=[int(n < positives) for n in range(40)])
    return Splits(*(Reviews(frame),) * 3)


@pytest.mark.parametrize(("positives", "chosen"), [(20, "accurate"), (2, "balanced"), (38, "balanced")])
def test_the_figure_is_accuracy_or_macro_f1_where_a_label_is_rare(servables, positives, chosen):
    name, servable = choose.entrypoint(list(servables), list(servables.values()), splits(positives), None)
    assert (name, servable) == (chosen, servables[chosen])


def test_the_settings_may_name_another_one(servables):
    name, servable = choose.entrypoint(list(servables), list(servables.values()), splits(20), "old")
    assert (name, servable) == ("old", servables["old"])
