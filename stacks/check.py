"""Proves every component of a stack within seconds, all in parallel, before a long run starts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Thread

from sentiment.errors import UserError
from stacks.probes import Unproven
from stacks.probes.machine import prove_deployer, prove_orchestrator, prove_requirements
from stacks.probes.storage import prove_artifact_store
from stacks.probes.trackers import prove_further_tracker
from stacks.probes.tracking import prove_tracking
from stacks.probes.zenml_server import prove_server
from stacks.stack_file import TRACKER, Stack, component_type

LIMIT_S = 4.5  # for all proofs, while a user waits
LIMIT_BEFORE_RUN_S = 30.0  # longer: a busy machine must not prevent a run
KINDS: dict[str, Callable[[Stack], str]] = {
    "orchestrator": prove_orchestrator,
    "artifact_store": prove_artifact_store,
    "experiment_tracker": prove_tracking,
    "model_deployer": prove_deployer,
}
ONLY_A_RUN = {
    "container_registry": "needs a login and an image: the first run pushes one",
    "step_operator": "needs a run there",
    "image_builder": "needs an image: the first run builds one",
}


@dataclass(frozen=True)
class Proof:
    """The result of proving one component.

    Attributes:
        component: Its type.
        passed: Whether it works; None if that cannot be proven here.
        words: The proof, or the problem.
        remedy: The remedy of the problem.
        seconds: How long it took.
    """

    component: str
    passed: bool | None
    words: str
    remedy: str
    seconds: float


def check(stack: Stack, *, without: tuple[str, ...] = (), limit: float = LIMIT_S) -> list[Proof]:
    """Proves the stack's server, requirements and components.

    Args:
        stack: The stack.
        without: Component types to leave out.
        limit: Seconds after which a component without an answer counts as failed.
    """
    probes = {name: probe for name, probe in _probes(stack).items() if name not in without}
    proofs: dict[str, Proof] = {}
    threads = [Thread(target=_prove, args=(name, probe, proofs), daemon=True) for name, probe in probes.items()]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + limit
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    words = f"no answer within {limit:g} s"
    late = partial(Proof, passed=False, words=words, remedy="Check its load.", seconds=limit)
    return [proofs.get(name) or late(name) for name in probes]  # threads that hang are abandoned


def _prove(name: str, probe: Callable[[], str], proofs: dict[str, Proof]) -> None:
    started = time.perf_counter()
    try:
        found: tuple[bool | None, str, str] = True, probe(), ""
    except Unproven as reason:
        found = None, f"not proven: {reason}", ""
    except UserError as error:
        found = False, error.what, error.remedy
    except Exception as error:  # an unexpected error must not end the other proofs
        found = False, f"{type(error).__name__}: {' '.join(str(error).split())[:200]}", "Fix its settings."
    proofs[name] = Proof(name, *found, seconds=time.perf_counter() - started)


def require(stack: Stack) -> None:
    """Requires everything that a run needs on other machines: not trackers after the first one, which may fail.

    Raises:
        UserError: With the first failure and its remedy.
    """
    without = ("model_deployer", *filter(_is_further_tracker, stack.components))
    proofs = check(stack, without=without, limit=LIMIT_BEFORE_RUN_S)
    failed = [proof for proof in proofs if proof.passed is False]
    if failed:
        first, more = failed[0], f" ({len(failed) - 1} more: python run.py stack check {stack.name})"
        raise UserError(
            f"{first.words}{more if len(failed) > 1 else ''}",
            where=f"stack {stack.name}, {first.component}",
            remedy=first.remedy,
        )


def _probes(stack: Stack) -> dict[str, Callable[[], str]]:
    found: dict[str, Callable[[], str]] = {}
    if stack.server:
        found["ZenML server"] = partial(prove_server, stack.server)
    if stack.requirements.packages or stack.requirements.programs:
        found["requirements"] = partial(prove_requirements, stack.requirements)
    for kind in stack.components:
        further = prove_further_tracker if _is_further_tracker(kind) else _unproven
        found[kind] = partial(KINDS.get(kind, partial(further, kind)), stack)
    return found


def _is_further_tracker(key: str) -> bool:
    return component_type(key) == TRACKER != key


def _unproven(kind: str, stack: Stack) -> str:
    flavor = stack.components[kind].flavor
    raise Unproven(ONLY_A_RUN.get(kind, f"no proof for {kind} {flavor}"))
