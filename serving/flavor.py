"""The flavor ``sentiment_bento`` of ZenML's model deployers.

ZenML's own BentoML deployer mistakes services of BentoML 1.4 for services of 1.1, fails, and reports success.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zenml.model_deployers import BaseModelDeployerFlavor

from serving.deployer_config import BentoDeployerConfig

if TYPE_CHECKING:
    from serving.deployer import BentoDeployer


class BentoDeployerFlavor(BaseModelDeployerFlavor):
    """The flavor ``sentiment_bento``."""

    @property
    def name(self) -> str:
        """Returns the name that stack files use."""
        return "sentiment_bento"

    @property
    def config_class(self) -> type[BentoDeployerConfig]:
        """Returns the class of its configuration."""
        return BentoDeployerConfig

    @property
    def implementation_class(self) -> type[BentoDeployer]:
        """Returns the class of the deployer."""
        from serving.deployer import BentoDeployer

        return BentoDeployer
