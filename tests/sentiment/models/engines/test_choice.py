"""Which engine computes a transformer: by the processor's instructions, or as told."""

import logging
from typing import get_args

import pytest

from bento.options import ServiceOptions
from sentiment.errors import UserError
from sentiment.models import Classifier
from sentiment.models.engines import choice, processor
from sentiment.models.engines.choice import AUTO, BF16, ENGINES, FAST, INT8, ONNX, VARIABLE, fastest
from tests.helpers import tiny_servables

ALL = (BF16, INT8, ONNX)


@pytest.fixture(scope="module")
def servable(tmp_path_factory):
    return tiny_servables.save_transformer(tmp_path_factory.mktemp("transformer")).path


@pytest.fixture
def machine(monkeypatch):
    """Gives the machine other instructions."""
    monkeypatch.delenv(VARIABLE, raising=False)
    return lambda *names: monkeypatch.setattr(choice, "instructions", lambda: names)


@pytest.mark.parametrize(
    ("instructions", "engines", "expected"),
    [
        (("amx_bf16", "avx512_bf16", "avx512_vnni"), ALL, BF16),
        (("avx512_bf16", "avx512_vnni", "avx2"), ALL, INT8),
        (("avx512_bf16", "avx512_vnni", "avx2"), (BF16, ONNX), BF16),  # int8 lost accuracy in this model
        (("avx512_vnni",), (BF16,), ONNX),  # model.onnx is float then
        (("avx_vnni", "avx2"), ALL, ONNX),
        (("bf16", "asimddp"), ALL, ONNX),  # ARM
        ((), ALL, ONNX),
    ],
)
def test_the_fastest_engine_that_keeps_the_accuracy_is_chosen(instructions, engines, expected):
    assert fastest(engines, instructions) == expected


def test_a_processor_without_bf16_is_served_by_onnxruntime(servable, machine):
    machine("avx2")
    classifier = Classifier.load(servable)
    assert classifier.engine == ONNX
    assert classifier.predict(["a lovely film"])[0].label == "positive"


@pytest.mark.parametrize("engine", ENGINES)
def test_the_variable_names_the_engine(servable, engine, machine, monkeypatch):
    machine("avx2")
    monkeypatch.setenv(VARIABLE, engine)
    classifier = Classifier.load(servable)
    assert classifier.engine == engine
    assert classifier.predict(["a lovely film"])[0].label == "positive"


def test_an_unknown_engine_is_one_line(servable, monkeypatch):
    monkeypatch.setenv(VARIABLE, "tensorrt")
    with pytest.raises(UserError, match=r"SENTIMENT_ENGINE: unknown engine 'tensorrt'.*Known: auto, openvino-bf16"):
        Classifier.load(servable)


def test_an_openvino_that_fails_to_load_is_replaced_and_the_log_says_so(servable, machine, monkeypatch, caplog):
    machine("amx_bf16")

    def fail(*_, **__):
        raise OSError("libtbb.so.12: cannot open shared object file")

    monkeypatch.setitem(choice.ENGINES, BF16, (ENGINES[BF16][0], fail))
    with caplog.at_level(logging.WARNING):
        assert Classifier.load(servable).engine == ONNX
    reason = "OSError: libtbb.so.12: cannot open shared object file"
    assert caplog.messages == [f"openvino-bf16 does not load ({reason}): onnxruntime runs the model"]
    monkeypatch.setenv(VARIABLE, BF16)  # asked for: no silent replacement
    with pytest.raises(UserError, match="libtbb"):
        Classifier.load(servable)


def test_a_servable_without_the_file_of_an_engine_is_one_line(tmp_path, monkeypatch):
    path = tiny_servables.save_transformer(tmp_path).path
    (path / "openvino.xml").unlink()
    monkeypatch.setenv(VARIABLE, BF16)
    with pytest.raises(UserError, match=r"has no openvino\.xml.*another engine"):
        Classifier.load(path)
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setattr(choice, "instructions", lambda: ("amx_bf16",))
    assert Classifier.load(path).engine == ONNX


def test_the_stack_file_offers_every_engine():
    assert set(get_args(ServiceOptions.model_fields["engine"].annotation)) == {AUTO, *ENGINES}
    assert VARIABLE in ServiceOptions().as_environment()


def test_instructions_are_those_that_linux_lists(tmp_path, monkeypatch):
    for text, expected in [
        ("flags\t\t: fpu avx2 avx512f avx512_vnni amx_bf16\n", ("amx_bf16", "avx512_vnni", "avx512f", "avx2")),
        ("Features\t: fp asimd asimddp bf16\n", ("bf16", "asimddp")),
        ("processor : 0\n", ()),
    ]:
        (tmp_path / "cpuinfo").write_text(text)
        monkeypatch.setattr(processor, "CPUINFO", tmp_path / "cpuinfo")
        assert processor.instructions.__wrapped__() == expected
    monkeypatch.setattr(processor, "CPUINFO", tmp_path / "missing")
    assert processor.instructions.__wrapped__() == ()


def test_every_instruction_that_decides_is_read():
    assert {name for name, _ in FAST} <= set(processor.MATRIX_INSTRUCTIONS)
