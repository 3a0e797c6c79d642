import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from sentiment.errors import UserError
from sentiment.models import Classifier, plain_text
from sentiment.models import classifier as classifier_module
from sentiment.models.engines.choice import BF16, INT8, ONNX, VARIABLE
from sentiment.models.plain_text import to_plain_text
from sentiment.models.servable import Manifest
from sentiment.reviews import cleaning
from tests.helpers import tiny_servables
from tests.helpers import tiny_transformer as tiny

KINDS = ("linear", "transformer", "cascade")
TEXTS = tiny.reviews(40, seed=9).frame["text"].tolist()
# What a serving image lacks; import-linter only sees our own imports, this sees those of the libraries too.
TRAINING_PACKAGES = ("torch", "transformers", "pandas", "pydantic", "zenml", "mlflow", "datasets")


@pytest.fixture(scope="module")
def servables(tmp_path_factory):
    return {kind: tiny_servables.save(kind, tmp_path_factory.mktemp(kind)).path for kind in KINDS}


COMPUTED = [("linear", "auto"), *((kind, name) for kind in KINDS[1:] for name in (BF16, INT8, ONNX))]


@pytest.fixture(params=COMPUTED, ids=" on ".join)
def path(request, servables, monkeypatch):
    kind, engine = request.param
    monkeypatch.setenv(VARIABLE, engine)
    return servables[kind]


@pytest.fixture
def classifier(path):
    return Classifier.load(path)


def test_works_where_no_training_package_is_installed(path, classifier):
    code = f"""
import json, sys
class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {TRAINING_PACKAGES}:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, NotInstalled())
from sentiment.models import Classifier
print(json.dumps([p.positive for p in Classifier.load(sys.argv[1]).predict(sys.argv[2:])]))
"""
    done = subprocess.run([sys.executable, "-c", code, path, *TEXTS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == classifier.predict_proba(TEXTS).tolist()


def test_the_score_of_a_text_does_not_depend_on_its_batch(classifier):
    batch = classifier.predict_proba(TEXTS)
    single = np.concatenate([classifier.predict_proba([text]) for text in TEXTS])
    np.testing.assert_allclose(batch, single, rtol=0, atol=1e-12)


def test_answers_come_in_the_order_of_the_texts(classifier):
    shuffled = np.random.default_rng(0).permutation(len(TEXTS))
    np.testing.assert_allclose(
        classifier.predict_proba([TEXTS[i] for i in shuffled]), classifier.predict_proba(TEXTS)[shuffled], atol=1e-6
    )


def test_knows_good_from_bad(classifier):
    good, bad = classifier.predict(["the plot of a lovely film", "the plot of a tedious film"])
    assert (good.label, bad.label) == ("positive", "negative")
    for prediction in (good, bad):
        assert prediction.score == max(prediction.positive, 1 - prediction.positive)


def test_markup_entities_and_white_space_do_not_matter(classifier):
    marked = ["<p>the plot<br />of &quot;a&quot;</p>\n\n<b class='x'>lovely</b>\t film&nbsp;! "]
    plain_text = ['the plot of "a" lovely film !']
    assert classifier.predict(marked) == classifier.predict(plain_text)


def test_a_comparison_is_no_markup():
    assert to_plain_text("5 < 7 and 8 > 3 & so on") == "5 < 7 and 8 > 3 & so on"
    assert to_plain_text("I <3 it") == "I <3 it"


AWKWARD = [
    "Two hours of my life <sigh> gone", "a </sigh> b", "<title of the song>", "I <3 it & you", "5 < 7 > 3", "a <b",
    "<b<i>x", "It was long &not boring", "shop.com/?id=1&copy=2", "AT&T; R&D;", "&foo; &notit; &bogus;", "&#12",
    "&#0; &#1; &#128;", "&amp;amp;lt;b&amp;gt;", "&amp;copy=2", "&lt;sigh&gt;", "<!-- never ended", "<!-- a --> b -->",
    "<!doctype html> ok", "<style> is all it has", "<script>hidden</script>shown", "not</script> this",
    "<svg><b>x</svg>", "<b\u00a0x>y", "a<br\n/>b", "<\u017ftrong> &\u017f; <\u0131>", "\x85a\u2028b",
]  # fmt: skip


@pytest.mark.parametrize("text", AWKWARD)
def test_cleaned_training_text_is_served_unchanged(text):
    clean = cleaning.clean(text)
    assert to_plain_text(clean) == clean


def test_serving_knows_the_elements_that_cleaning_knows():
    for names in ("_BLOCK", "_INLINE", "_UNSEEN"):
        assert getattr(plain_text, names) == getattr(cleaning, names)
    for name in f"{cleaning._INLINE}|{cleaning._UNSEEN}|p|br|h1|li".split("|"):
        text = f"no<{name}>t g</{name.upper()} >ood"
        assert to_plain_text(text) == cleaning.clean(text)


def test_no_texts_no_answers(classifier):
    assert classifier.predict([]) == []
    assert classifier.predict_proba([]).shape == (0,)


@pytest.mark.parametrize("text", ["", " ", "\n<br>\n", "\x00", "🙂", "zyxw", "lovely " * 150_000])
def test_every_string_has_an_answer(classifier, text):
    (prediction,) = classifier.predict([text])
    assert 0.5 <= prediction.score <= 1


def test_threads_do_not_disturb_each_other(classifier):
    expected = classifier.predict_proba(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: classifier.predict_proba(TEXTS), range(20)):
            np.testing.assert_array_equal(found, expected)


def test_temperature_changes_how_sure_and_not_which(classifier):
    logits = classifier.logits(TEXTS)
    expected = 1 / (1 + np.exp(-np.clip(logits / classifier.manifest.temperature, -30, 30)))
    np.testing.assert_allclose(classifier.predict_proba(TEXTS), expected, atol=1e-6)
    assert [p.label == "positive" for p in classifier.predict(TEXTS)] == (logits > 0).tolist()


def test_a_long_review_is_read_at_both_ends(servables):
    classifier = Classifier.load(servables["transformer"])
    filler = " ".join(["plot"] * 100)
    (opening, verdict, middle) = classifier.logits(
        [f"lovely {filler}", f"{filler} lovely", f"{filler} lovely {filler}"]
    )
    assert opening > 0
    assert verdict > 0
    assert middle == 0


def change_manifest(folder, **changes):
    file = folder / "manifest.json"
    values = json.loads(file.read_text()) | changes
    file.write_text(json.dumps({k: v for k, v in values.items() if v is not ...}))


def truncate(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


DAMAGES = {
    "no manifest": ("linear", lambda d: (d / "manifest.json").unlink()),
    "half a manifest": ("linear", lambda d: truncate(d / "manifest.json")),
    "manifest of another kind of JSON": ("linear", lambda d: (d / "manifest.json").write_text("[]")),
    "manifest that is not text": ("linear", lambda d: (d / "manifest.json").write_bytes(b"\xff\xfe")),
    "no temperature": ("linear", lambda d: change_manifest(d, temperature=...)),
    "a key too many": ("linear", lambda d: change_manifest(d, colour="red")),
    "format of the future": ("linear", lambda d: change_manifest(d, format=99)),
    "unknown kind": ("linear", lambda d: change_manifest(d, kind="oracle")),
    "no linear model": ("linear", lambda d: (d / "linear.npy").unlink()),
    "half a linear model": ("linear", lambda d: truncate(d / "linear.npy")),
    "no transformer": ("transformer", lambda d: [(d / name).unlink() for name in ("model.onnx", "openvino.xml")]),
    "half a transformer": ("transformer", lambda d: [truncate(d / name) for name in ("model.onnx", "openvino.xml")]),
    "no tokenizer": ("transformer", lambda d: (d / "tokenizer.json").unlink()),
    "half a tokenizer": ("transformer", lambda d: truncate(d / "tokenizer.json")),
    "transformer without settings": ("transformer", lambda d: change_manifest(d, settings={})),
    "cascade without settings": ("cascade", lambda d: change_manifest(d, settings={})),
    "cascade without its transformer": ("cascade", lambda d: shutil.rmtree(d / "transformer")),
    "cascade with half a linear model": ("cascade", lambda d: truncate(d / "linear" / "linear.npy")),
}


@pytest.mark.parametrize(("kind", "damage"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_servable_is_one_clear_line(kind, damage, servables, tmp_path):
    folder = tmp_path / "servable"
    shutil.copytree(servables[kind], folder)
    damage(folder)
    with pytest.raises(UserError) as caught:
        Classifier.load(folder)
    assert "\n" not in str(caught.value)
    assert str(folder) in caught.value.where
    assert caught.value.remedy


def test_no_directory_at_all(tmp_path):
    with pytest.raises(UserError, match="manifest"):
        Classifier.load(tmp_path / "nowhere")


def test_a_new_kind_of_servable_needs_only_its_row_in_the_table(tmp_path, monkeypatch):
    class Constant(Classifier):
        def __init__(self, path, manifest, threads):
            super().__init__(manifest)

        def _logits(self, texts):
            return np.full(len(texts), 2.0)

    Manifest("constant", {}, 0.5, 0.9, "data", {}).write(tmp_path)
    with pytest.raises(UserError, match=rf"unknown kind 'constant'.*Known: {', '.join(classifier_module.KINDS)}"):
        Classifier.load(tmp_path)
    monkeypatch.setitem(classifier_module.KINDS, "constant", Constant)
    assert Classifier.load(tmp_path).calibrated_logits(["a", "b"]).tolist() == [4.0, 4.0]
