"""Builds the OCI image of the live Bento, or of another: ``python -m serving.image [--bento TAG] [--base IMAGE]``.

This module collects its contents with the tools of this machine; deploy/image/Dockerfile copies them onto a base image.
"""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import py_compile
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sentiment.errors import UserError

ROOT = Path(__file__).resolve().parents[1]
BASE = "python:3.11-slim"
PACKAGES = "/opt/sentiment/packages"  # in the image
OTHER_FRONTENDS = ("gguf", "jax", "onnx", "paddle", "pytorch", "tensorflow", "tensorflow_lite")
# Parts of packages that the service does not load.
UNUSED = (
    *("**/tests", "bin"),
    *("**/*.pyi", "**/*.pyx", "**/*.pxd", "**/*.h"),  # for compilers and editors
    *("hf_xet*", "huggingface_hub*"),  # downloads from the hub
    "fastapi_offline/static/redoc.standalone.js",  # /docs is Swagger's page
    *(f"openvino/libs/libopenvino_{part}*" for part in ("auto", "c.", "hetero", "intel_gpu", "intel_npu")),
    *(f"openvino/libs/libopenvino_{part}_frontend*" for part in OTHER_FRONTENDS),
    *("openvino/libs/cache.json", "openvino/tools", "openvino/torch", "openvino_telemetry*"),
    *(
        "onnxruntime/capi/libonnxruntime.so*",
        "onnxruntime/quantization",
        "onnxruntime/transformers",
    ),  # for other programs
)


@dataclass(frozen=True)
class Engine:
    """A program that builds images here.

    Attributes:
        command: How it is called.
        build: How it builds.
    """

    command: tuple[str, ...]
    build: tuple[str, ...]


DOCKER = Engine(("docker",), ("build",))
# Neither needs more rights than a container has; only Docker's format knows health checks.
BUILDAH = Engine(("buildah", "--storage-driver", "vfs"), ("build", "--isolation", "chroot", "--format", "docker"))


def find_engine() -> Engine:
    """Finds Docker if its daemon runs, otherwise buildah.

    Raises:
        UserError: If neither is there.
    """
    if shutil.which("docker") and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0:
        return DOCKER
    if shutil.which("buildah"):
        return BUILDAH
    raise UserError(
        "neither a Docker daemon nor buildah is there", where="make image", remedy="Start Docker, or install buildah."
    )


def build_image(tag: str, base: str, engine: Engine) -> None:
    """Builds an image with the name of the Bento, which is also ``sentiment:latest`` then.

    Args:
        tag: Of the Bento.
        base: Image with Python 3.11.
        engine: The program that builds it.

    Raises:
        UserError: If there is no such Bento, its packages cannot be fetched, or the base does not suit.
    """
    with tempfile.TemporaryDirectory(prefix="sentiment-image-") as folder:
        context = Path(folder)
        labels = gather_bento(tag, context / "bento")
        gather_packages(context / "bento" / "env" / "python" / "requirements.txt", context / "packages")
        shutil.copy(ROOT / "deploy" / "image" / "start.sh", context)
        command = [*engine.command, *engine.build, "--build-arg", f"BASE={base}"]
        command += ["--file", str(ROOT / "deploy" / "image" / "Dockerfile")]
        command += [part for name, value in labels.items() for part in ("--label", f"sentiment.{name}={value}")]
        command += ["--tag", tag, "--tag", f"{tag.partition(':')[0]}:latest", str(context)]
        # Docker would add an attestation, and SageMaker takes no image with one.
        environment = os.environ | {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
        if subprocess.run(command, check=False, env=environment).returncode:
            raise UserError("cannot be built", where=f"image {tag}", remedy=f"See {engine.command[0]}'s message above.")


def gather_bento(tag: str, folder: Path) -> dict[str, str]:
    """Copies a Bento and its models out of BentoML's stores.

    Returns:
        Where it comes from.

    Raises:
        UserError: If the Bento or a model of it is not there.
    """
    import bentoml
    from bentoml.exceptions import BentoMLException

    try:
        bento = bentoml.bentos.get(tag)
        shutil.copytree(bento.path, folder)
        for model in bento.info.all_models:
            shutil.copytree(bentoml.models.get(model.tag).path, folder / "models" / model.tag.path())
    except BentoMLException as error:
        raise UserError(str(error).rstrip("."), where=f"Bento {tag}", remedy="Run make deploy first.") from error
    for path in (folder, *folder.rglob("*")):  # in the stores they are their owner's alone
        path.chmod(0o755 if path.is_dir() else 0o644)
    return dict(bento.info.labels)


def gather_packages(requirements: Path, folder: Path) -> None:
    """Installs the service's requirements for Linux on this machine's processor, as bytecode.

    Without it every worker would compile for seconds at every start; with the sources beside it, the image would be too
    big.

    Raises:
        UserError: If a package cannot be fetched.
    """
    machine = {"arm64": "aarch64", "AMD64": "x86_64"}.get(platform.machine(), platform.machine())
    install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--link-mode", "copy"]
    install += ["--only-binary", ":all:", "--python-version", "3.11", "--python-platform", f"{machine}-manylinux_2_28"]
    done = subprocess.run(
        [*install, "--target", str(folder), "--requirements", str(requirements)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = " ".join(done.stderr.split())
        raise UserError(f"cannot be installed: {reason}", where=str(requirements), remedy="See uv's message.")
    for pattern in UNUSED:
        for path in list(folder.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    compileall.compile_dir(
        folder,
        quiet=2,
        legacy=True,
        workers=0,
        stripdir=str(folder),
        prependdir=PACKAGES,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    for source in folder.rglob("*.py"):
        if source.with_suffix(".pyc").exists():
            source.unlink()


def live_bento(stack: str) -> str:
    """Returns the tag of the live Bento of a stack.

    Raises:
        UserError: If none is.
    """
    from serving.active import find_deployer
    from stacks.activation import activated
    from stacks.stack_file import read_stack

    with activated(read_stack(stack)):
        deployer = find_deployer()
        live = deployer.live() if deployer else None
    if live is None:
        raise UserError(
            "there is no live service",
            where=f"stack {stack}",
            remedy="Run make deploy, or name one: BENTO=TAG.",
        )
    return live.bento.tag


def main(arguments: Sequence[str] | None = None) -> int:
    """Builds the image that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m serving.image", description="Builds the OCI image of a Bento.")
    parser.add_argument("--bento", metavar="TAG", help="a Bento in the store (default: the live one)")
    parser.add_argument("--base", default=BASE, metavar="IMAGE", help=f"image with Python 3.11 (default: {BASE})")
    parser.add_argument("--stack", default="local", metavar="NAME", help="a file in configs/stacks (default: local)")
    options = parser.parse_args(arguments)
    try:
        engine = find_engine()
        tag = options.bento or live_bento(options.stack)
        build_image(tag, options.base, engine)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    size = subprocess.check_output([*engine.command, "images", "--format", "{{.Size}}", tag], text=True).strip()
    print(f"Image: {tag} and {tag.partition(':')[0]}:latest, {size}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
