"""Approvals: a version that keeps every rule waits until a person approves it, here or by a tag in MLflow.

A version needs an approval before it goes into production for the first time, unless a decision promotes it: it waits
for one (``automatic: false``), or it did not keep every rule. A version that was in production before needs none, so
that a rollback is never held up. An approval of a waiting version holds for one comparison only: once another version
is champion, it must be evaluated again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from registry import champion, mlflow_registry, versions
from sentiment.errors import UserError
from sentiment.pages.servable import add_approval
from sentiment.promotion.approval import APPROVED, PENDING, REJECTED, make_approval

if TYPE_CHECKING:
    from registry.mlflow_registry import Registered
    from sentiment.deployment import Version
    from sentiment.promotion.approval import Approval

REFUSED = "refused: "  # begin of the tag ``approval`` after a refusal
MLFLOWS_TAG = "MLflow's tag"  # who approved, unless the tag approval_by says so: MLflow records no user with a tag


def ask_for_approval(model: str, number: str, compared_with: str | None) -> None:
    """Lets a version wait for an approval, unless it waits already, was in production before, or was rejected.

    Args:
        model: Name of the model.
        number: Number of the version.
        compared_with: Number of the champion that it was compared with; None if there was none.
    """
    version = versions.get_version(model, number)
    if version.stage or version.approval == REJECTED:
        return
    if version.waiting and version.compared_with == (compared_with or ""):
        return  # keeps an approval that was given meanwhile
    # MLflow first: an approval of an earlier comparison, still in the tag, must not count for this one.
    entry = champion.ensure_registered(model, version)
    emptied = {tag: "" for tag in ("approval_by", "approval_reason", "approval_time") if getattr(entry, tag)}
    mlflow_registry.set_tags(model, entry, {"approval": PENDING, **emptied})
    versions.record_waiting(model, number, compared_with or "")


def stop_waiting(model: str, version: Version) -> Version:
    """Ends the waiting of a version that did not keep every rule in its latest evaluation, or was promoted.

    An approval that a person set as MLflow's tag meanwhile stays there, so that it is refused with an alert.

    Returns:
        The version as it is then.
    """
    version = versions.get_version(model, version.number)
    if version.approval != PENDING and not version.waiting:
        return version
    entry = champion.ensure_registered(model, version)
    if entry.approval == PENDING:
        mlflow_registry.set_tags(model, entry, {"approval": ""})
    versions.record_not_waiting(model, version.number)
    return versions.get_version(model, version.number)


def require_approval(model: str, version: Version, approval: Approval | None) -> None:
    """Refuses a promotion of a version that needs an approval and has none, or only a stale one.

    Raises:
        UserError: If the version was never in production and ``approval`` is None, or it waits, or was approved, and
            another version became champion.
    """
    if version.stage:
        return
    if problem := _describe_overtaking(model, version):
        raise UserError(
            f"version {version.number} {problem}",
            where=f"model {model}",
            remedy="Train again with its settings.",
        )
    if approval is None:
        if version.waiting:
            reason = "waits for an approval"
        elif version.approval == REJECTED:
            reason = "was rejected"
        else:
            reason = "was never in production, and did not keep every rule"
        raise UserError(
            f"version {version.number} {reason}",
            where=f"model {model}",
            remedy='Say who approves it, and why: --by NAME --reason "...".',
        )


def require_approved(model: str, version: Version) -> None:
    """Raises a UserError if no approval of the version is on record."""
    if not version.approved_by:
        raise UserError(
            f"version {version.number} of {model} carries no approval",
            where="key require_approval",
            remedy=f'python run.py promote --version {version.number} --by NAME --reason "..."',
        )


def publish_approval(model: str, number: str, approval: Approval) -> None:
    """Records an approval or rejection that ZenML has on record in MLflow's tags, and in both model cards."""
    card = add_approval(versions.get_card(model, number), approval)
    entry = champion.ensure_registered(model, versions.get_version(model, number))
    versions.update_card(model, number, card)
    mlflow_registry.update_description(model, entry, card)
    mlflow_registry.set_tags(model, entry, approval.as_facts())


def follow_tags(model: str, refuse: Callable[[str, str], None]) -> list[str]:
    """Carries out the approvals and rejections that people have set as the tag ``approval`` in MLflow since.

    The newest approved version is promoted; that makes approvals of older ones stale. A version in production only
    gets the approval on its record. A refused approval says why in the tag, so that it is refused once. What an earlier
    turn recorded in ZenML only, because it died, is recorded in MLflow, too: there the tag ``approval_time`` is last.

    Args:
        model: Name of the model.
        refuse: Is called with the number of a version whose tag is refused, and the problem, before the tag changes.

    Returns:
        What was done, a line for users each.
    """
    known = {v.fingerprint: v.number for v in versions.list_versions(model)}
    done = []
    for entry in reversed(mlflow_registry.list_registered(model)):
        state = entry.approval.strip().casefold()  # people may have written it
        if entry.fingerprint not in known or state in ("", PENDING) or entry.approval.startswith(REFUSED):
            continue
        version = versions.get_version(model, known[entry.fingerprint])  # anew: the promotion of another one matters
        if state not in (APPROVED, REJECTED):
            words = f"has the tag approval with the value {entry.approval[:60]!r}: write {APPROVED} or {REJECTED}"
            _refuse(model, entry, version, words, refuse)
            continue
        given = make_approval(entry.approval_by or MLFLOWS_TAG, entry.approval_reason, state)
        if state == REJECTED:
            if version.stage or version.approval not in (PENDING, REJECTED):
                continue
            if version.approval == PENDING:
                versions.record_approval(model, version.number, given)
            elif entry.approval_time:  # it was carried out before
                continue
            publish_approval(model, version.number, given)
            done.append(f"version {version.number} was rejected by {given.by}")
        elif not (version.approved_by and version.stage and entry.approval_time):  # otherwise it was carried out before
            if problem := _carry_out(model, version, given):
                _refuse(model, entry, version, problem, refuse)
            else:
                done.append(f"version {version.number} was approved by {given.by}")
    return done


def _refuse(model: str, entry: Registered, version: Version, problem: str, refuse: Callable[[str, str], None]) -> None:
    refuse(version.number, problem)
    mlflow_registry.set_tags(model, entry, {"approval": f"{REFUSED}{problem}"})


def _carry_out(model: str, version: Version, approval: Approval) -> str:
    """Promotes an approved version, or records the approval of one in production; returns the problem, if any."""
    if version.waiting:
        if not versions.is_stored(model, version.number, "servable"):
            return "cannot be promoted, because its files are gone: train again"
    elif version.stage != "production" and not (version.stage and version.approved_by):
        return _describe_problem(model, version)
    if version.stage != "archived":  # it was approved, promoted and replaced before the approval was published
        try:
            champion.set_champion(model, version.number, approval=approval)
        except champion.OvertakenError:
            return _describe_overtaking(model, version) or "was overtaken: approve it again"
    publish_approval(model, version.number, approval)
    return ""


def _describe_problem(model: str, version: Version) -> str:
    if version.stage:
        return "was in production before: only python run.py promote promotes it again"
    if version.approval == REJECTED:
        return "was rejected: only python run.py promote promotes it"
    return _describe_overtaking(model, version) or "does not wait for an approval: it did not keep every rule"


def _describe_overtaking(model: str, version: Version) -> str:
    """Returns with which champion a waiting or approved version was compared; empty if it still is the champion."""
    production = versions.find_production(model)
    if not versions.is_overtaken(model, version, production.number if production else None):
        return ""
    before = f"version {version.compared_with}" if version.compared_with else "no champion"
    now = f"version {production.number} is" if production else "none is"
    return f"was compared with {before}, and {now} in production now: it must be evaluated again"
