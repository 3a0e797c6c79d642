"""Building images in tests; the fixtures ``container_engine`` and ``container_base`` set that up once for all."""

import os
import shutil
import subprocess
from contextlib import contextmanager

import pytest

from sentiment.errors import UserError
from serving import image


def missing():
    """Why no image can be built here; None if one can."""
    try:
        engine = image.find_engine()
    except UserError as error:
        return str(error)
    if engine == image.BUILDAH and (os.geteuid() or not shutil.which("mmdebstrap")):
        return "without Docker, the base is built by mmdebstrap (Debian's package), as root"
    return None


@contextmanager
def engine(folder):
    """A program that builds images, with its own store, as an image is half a gigabyte."""
    folder.mkdir()
    (folder / "storage.conf").write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n'
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTAINERS_STORAGE_CONF", str(folder / "storage.conf"))
        yield image.find_engine()
    shutil.rmtree(folder)


def base(engine, folder):
    """The name of the default base, or of one with Debian's Python: buildah may not reach a registry."""
    if engine == image.DOCKER:
        return image.BASE
    root = folder / "root"
    # only unpacked, not configured: in a sixth of debootstrap's time, with the same tools that the image must not keep
    packages = [f"--include={package}" for package in ("?essential", "apt", "python3")]
    command = ["mmdebstrap", "--quiet", "--variant=extract", "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr"]
    subprocess.run([*command, *packages, "bookworm", str(root)], check=True)
    shutil.copy(root / "usr/share/base-passwd/passwd.master", root / "etc/passwd")
    name = buildah("from", "scratch")
    buildah("add", name, str(root), "/")
    buildah("commit", "--rm", name, "base")
    shutil.rmtree(folder)
    return "localhost/base"


def buildah(*arguments):
    done = subprocess.run([*image.BUILDAH.command, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def run(engine, name, *command):
    """Returns the output of a command in a new container of the image, started with the image's settings."""
    if engine == image.DOCKER:
        return subprocess.check_output(
            ["docker", "run", "--rm", "--entrypoint", command[0], name, *command[1:]], text=True
        )
    container = buildah("from", f"localhost/{name}")
    try:
        return buildah("run", "--isolation", "chroot", container, "--", *command)
    finally:
        buildah("rm", container)
