"""A real push by buildah, to Debian's docker-registry with a password."""

import base64
import json
import os
import shutil
import subprocess

import bcrypt
import httpx
import pytest

from sentiment.errors import UserError
from serving.image import BUILDAH
from serving.sagemaker.images import push_image
from tests.helpers.loopback import free_ports, until

USER, PASSWORD = "AWS", "a-password"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("docker-registry"), reason="docker-registry is missing (Debian's package)"),
    pytest.mark.skipif(not shutil.which("buildah") or os.geteuid() != 0, reason="needs buildah (Debian's), as root"),
]  # fmt: skip


@pytest.fixture
def registry(tmp_path):
    """Its host and port."""
    (port,) = free_ports(1)
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    (tmp_path / "users").write_text(f"{USER}:{hashed}\n")
    settings = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "registry")}},
        "http": {"addr": f"127.0.0.1:{port}"},
        "auth": {"htpasswd": {"realm": "it", "path": str(tmp_path / "users")}},
    }
    (tmp_path / "registry.yaml").write_text(json.dumps(settings))  # JSON is YAML
    with (tmp_path / "output").open("w") as output:
        process = subprocess.Popen(
            ["docker-registry", "serve", str(tmp_path / "registry.yaml")], stdout=output, stderr=output
        )
    try:
        until(lambda: answers(port) or process.poll() is not None)
        assert process.poll() is None, (tmp_path / "output").read_text()
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def answers(port):
    try:
        return httpx.get(f"http://127.0.0.1:{port}/v2/").status_code == 401
    except httpx.HTTPError:
        return False


@pytest.fixture
def image(tmp_path, monkeypatch, registry):
    """A small image in a store of its own; buildah speaks plain HTTP to this registry alone."""
    store = f'[storage]\ndriver = "vfs"\ngraphroot = "{tmp_path}/graph"\nrunroot = "{tmp_path}/run"\n'
    (tmp_path / "storage.conf").write_text(store)
    (tmp_path / "registries.conf").write_text(f'[[registry]]\nlocation = "{registry}"\ninsecure = true\n')
    monkeypatch.setenv("CONTAINERS_STORAGE_CONF", str(tmp_path / "storage.conf"))
    monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(tmp_path / "registries.conf"))
    context = tmp_path / "context"
    context.mkdir()
    (context / "model").write_text("weights")
    (context / "Dockerfile").write_text("FROM scratch\nCOPY model /model\n")
    command = [*BUILDAH.command, *BUILDAH.build, "--tag", "sentiment:v1-abc", str(context)]
    subprocess.run(command, check=True, capture_output=True)
    return "sentiment:v1-abc"


def token(password):
    return base64.b64encode(f"{USER}:{password}".encode()).decode()


def test_the_image_arrives_and_no_password_stays_here(registry, image, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with pytest.raises(UserError, match=r"cannot be pushed: .*(unauthorized|authentication)") as caught:
        push_image(BUILDAH, image, f"{registry}/sentiment:v1-abc", token("wrong"))
    assert "\n" not in str(caught.value)
    push_image(BUILDAH, image, f"{registry}/sentiment:v1-abc", token(PASSWORD))
    kind = "application/vnd.docker.distribution.manifest.v2+json"  # SageMaker reads it
    manifest = httpx.get(
        f"http://{registry}/v2/sentiment/manifests/v1-abc", auth=(USER, PASSWORD), headers={"accept": kind}
    )
    assert (manifest.status_code, manifest.json()["mediaType"]) == (200, kind)
    assert manifest.headers["docker-content-digest"].startswith("sha256:")
    assert not (tmp_path / "home").exists()
