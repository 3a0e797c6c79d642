"""The capabilities of behavioural tests: templates and perturbations that generate the cases."""

from sentiment.behaviour.capabilities import direction, functionality, invariance, neutral
from sentiment.behaviour.capabilities.cases import Capability, Case, Kind

CAPABILITIES: dict[str, Capability] = {
    capability.name: capability
    for capability in (
        *functionality.CAPABILITIES,
        *direction.CAPABILITIES,
        *invariance.CAPABILITIES,
        *neutral.CAPABILITIES,
    )
}
"""Every capability by name, in the order of the report."""

__all__ = ["CAPABILITIES", "Capability", "Case", "Kind"]
