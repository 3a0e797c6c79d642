"""Proves a stack's needs on this machine: packages, programs, the deployer's ports, the orchestrator."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from shutil import which
from typing import Any
from uuid import uuid4

from sentiment.errors import UserError
from stacks.addresses import Address
from stacks.apply import FLAVORS
from stacks.files import required_file
from stacks.probes import Unproven
from stacks.processes import find_program
from stacks.stack_file import RequirementSettings, Stack

KUBECTL_SECONDS = 3
FILES = ("tokens_file", "tls_certificate", "tls_key")  # that the deployer reads


def prove_requirements(requirements: RequirementSettings) -> str:
    """Checks packages and programs.

    Raises:
        UserError: If one is missing, or a package is of the wrong version.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    for text in requirements.packages:
        try:
            wanted = Requirement(text)
            found = version(wanted.name)
        except InvalidRequirement as error:
            remedy = "Write it as in requirements.txt."
            raise UserError(f"{text!r} names no package", where="requirements.packages", remedy=remedy) from error
        except PackageNotFoundError as error:
            raise UserError(f"the package {text} is missing", remedy=_installation(requirements, text)) from error
        if not wanted.specifier.contains(found, prereleases=True):
            remedy = _installation(requirements, text)
            raise UserError(f"{wanted.name} is {found}, not {wanted.specifier}", remedy=remedy)
    for program in requirements.programs:
        if which(program) is None:
            raise UserError(f"the program {program} is not on the PATH", remedy=f"Install {program}.")
    return ", ".join(("installed:", *requirements.packages, *requirements.programs)).replace(":,", ":")


def _installation(requirements: RequirementSettings, package: str) -> str:
    return f"Run {requirements.install}." if requirements.install else f"Run pip install '{package}'."


def prove_deployer(stack: Stack) -> str:
    """Checks the deployer's tools and files, and that its ports are free or used by its own service.

    Raises:
        UserError: If a tool or a file is missing, or another process has a port.
        Unproven: If it is of another flavor.
    """
    component = stack.components["model_deployer"]
    if component.flavor == "sentiment_sagemaker":
        return _prove_sagemaker(component.configuration)
    if component.flavor != "sentiment_bento":
        raise Unproven(f"no proof for the flavor {component.flavor}")
    settings = component.configuration
    front, nginx = settings.get("front", "auto"), find_program("nginx")
    if front == "nginx" and nginx is None:
        raise UserError("nginx is not installed", remedy="Install it, or set front: none.")
    words = "nginx is in front" if nginx and front != "none" else "without nginx: a switch takes seconds"
    certificate = _prove_files(settings)
    return f"{words}; {_prove_ports(settings, certificate)}"


def _prove_sagemaker(settings: dict[str, Any]) -> str:
    """Checks the repository, the endpoint and the instance type by the deployer's own preflight."""
    from pydantic import ValidationError
    from zenml.enums import StackComponentType
    from zenml.utils import source_utils

    flavor = source_utils.load(FLAVORS["sentiment_sagemaker"])()  # by its path: stacks import no deployer
    now, kind = datetime.now(UTC), StackComponentType.MODEL_DEPLOYER
    try:
        config = flavor.config_class(**settings)
        deployer = flavor.implementation_class(
            name="proof", id=uuid4(), config=config, flavor=flavor.name, type=kind, user=None, created=now, updated=now
        )
        deployer.preflight("switch")
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", remedy="Fix the value.") from error
    except UserError as error:  # of an error, a proof shows no place
        raise UserError(f"{error.where}: {error.what}", remedy=error.remedy) from error
    return f"ECR repository, endpoint {config.endpoint} and instance type in {config.region}"


def _prove_files(settings: dict[str, Any]) -> Path | None:
    """Checks the files that it reads; returns the certificate."""
    try:
        return {name: required_file(settings.get(name), name) for name in FILES}["tls_certificate"]
    except UserError as error:  # of an error, a proof shows no place
        raise UserError(f"{error.where}: {error.what}", remedy=error.remedy) from error


def _prove_ports(settings: dict[str, Any], certificate: Path | None) -> str:
    if not {"http_port", "grpc_port"} <= set(settings):
        return "its ports are the flavor's own"
    host = str(settings.get("host", "127.0.0.1"))
    address = Address(host, int(settings["http_port"]), int(settings["grpc_port"]), certificate)
    used = address.used_port()
    if used is None:
        return f"ports {address.http_port} and {address.grpc_port} are free"
    if not address.problem():
        return f"live at {address.http}"
    remedy = f"Stop the process that uses it (ss -ltnp 'sport = {used}'), or set other ports."
    raise UserError(f"port {used} is used, and not by this project's service", remedy=remedy)


def prove_orchestrator(stack: Stack) -> str:
    """Names the place where steps run; for Kubernetes, reaches the cluster.

    Raises:
        UserError: If the cluster cannot be reached.
        Unproven: If only a run can show.
    """
    component = stack.components["orchestrator"]
    if component.flavor == "local":
        return "steps run in this process"
    if component.flavor != "kubernetes":
        raise Unproven(f"{component.flavor}: needs a run there")
    context = component.configuration.get("kubernetes_context")
    if which("kubectl") is None:
        raise UserError("kubectl is not installed", remedy="Install it, and give it the cluster's configuration.")
    command = ["kubectl", "get", "--raw", "/readyz", f"--request-timeout={KUBECTL_SECONDS}s"]
    command += ["--context", str(context)] if context else []
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=KUBECTL_SECONDS + 1)
        problem = done.stderr.strip().splitlines()[-1:] if done.returncode else None
    except subprocess.TimeoutExpired:
        problem = ["no answer"]
    if problem is not None:
        remedy = "See kubectl config get-contexts, and set kubernetes_context."
        raise UserError(f"the cluster cannot be reached: {' '.join(problem)}", remedy=remedy)
    return f"the cluster answers{f' (context {context})' if context else ''}; a run there was not tried"
