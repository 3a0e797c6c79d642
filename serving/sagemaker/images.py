"""The image of a Bento in ECR: found there, or built and pushed."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment.errors import UserError
from serving.image import Engine, build_image, find_engine
from serving.sagemaker.aws import Aws, AwsError

if TYPE_CHECKING:
    from sentiment.deployment import Bento
    from serving.sagemaker.config import SageMakerDeployerConfig


def require_repository(aws: Aws, config: SageMakerDeployerConfig) -> None:
    """Requires that the ECR repository exists in the account and region of the keys.

    Raises:
        UserError: If it does not.
    """
    name, region = config.repository_name, config.region
    try:
        found = aws.call("ecr", "describe_repositories", repositoryNames=[name])
    except AwsError as error:
        if error.code == "RepositoryNotFoundException":
            raise UserError(
                f"there is no ECR repository {name} in {region}",
                where="model deployer, repository",
                remedy=f"Run aws ecr create-repository --region {region} --repository-name {name}.",
            ) from error
        raise
    address = found["repositories"][0]["repositoryUri"]
    if address != config.repository:
        raise UserError(
            f"the keys are for {address}, and not for {config.repository}",
            where="model deployer, repository",
            remedy="Set repository to the registry of this account and region, or use other keys.",
        )


def provide_image(aws: Aws, config: SageMakerDeployerConfig, bento: Bento) -> str:
    """Returns the image of a Bento in ECR by its digest; builds and pushes it if it is not there yet.

    Its tag is that of the Bento, which never moves: a rollback, or another machine, finds the same image.

    Raises:
        UserError: If it cannot be built or pushed.
    """
    tag = bento.tag.partition(":")[2]
    digest = find_digest(aws, config, tag)
    if digest is None:
        engine = find_engine()
        build_image(bento.tag, config.base_image, engine)
        token = aws.call("ecr", "get_authorization_token")["authorizationData"][0]["authorizationToken"]
        push_image(engine, bento.tag, f"{config.repository}:{tag}", token)
        digest = find_digest(aws, config, tag)
    if digest is None:
        raise UserError(
            f"has no image {tag} after the push",
            where=f"ECR repository {config.repository}",
            remedy="Check that the registry is that of the account and region of the keys.",
        )
    return f"{config.repository}@{digest}"


def find_digest(aws: Aws, config: SageMakerDeployerConfig, tag: str) -> str | None:
    """Returns the digest of an image in ECR; None if there is no such image."""
    name = config.repository_name
    try:
        found = aws.call("ecr", "describe_images", repositoryName=name, imageIds=[{"imageTag": tag}])
    except AwsError as error:
        if error.code == "ImageNotFoundException":
            return None
        raise
    return str(found["imageDetails"][0]["imageDigest"])


def push_image(engine: Engine, image: str, target: str, token: str) -> None:
    """Pushes a local image.

    Args:
        engine: The program that built it.
        image: Its local name.
        target: Its name in the registry, with the registry's host.
        token: User and password, joined by a colon, in Base64, as ECR gives them.

    Raises:
        UserError: If the registry does not take it.
    """
    host = target.partition("/")[0]
    with tempfile.TemporaryDirectory(prefix="sentiment-push-") as folder:  # only its owner can read it
        keys = Path(folder, "config.json")  # not a login, which would write into the home directory
        keys.write_text(json.dumps({"auths": {host: {"auth": token}}}), encoding="utf-8")
        environment = os.environ | {"DOCKER_CONFIG": folder, "REGISTRY_AUTH_FILE": str(keys)}
        for command in (("tag", image, target), ("push", target)):
            done = subprocess.run(
                [*engine.command, *command], capture_output=True, text=True, check=False, env=environment
            )
            if done.returncode:
                reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
                raise UserError(
                    f"cannot be pushed: {reason}",
                    where=f"image {target}",
                    remedy="Check the repository and the policy in deploy/sagemaker/, and deploy again.",
                )
