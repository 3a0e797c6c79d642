"""The flavor ``sentiment_bento`` of ZenML's model deployers.

ZenML's own BentoML deployer mistakes services of BentoML 1.4 for services of 1.1, fails, and reports success.
"""

from __future__ import annotations

from zenml.model_deployers import BaseModelDeployer, BaseModelDeployerFlavor
from zenml.utils import source_utils

from serving.deployer_config import BentoDeployerConfig

DEPLOYER = "serving.deployer.BentoDeployer"  # by its path, as ZenML records it: the deployer itself imports this module


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
    def implementation_class(self) -> type[BaseModelDeployer]:
        """Returns the class of the deployer."""
        deployer: type[BaseModelDeployer] = source_utils.load(DEPLOYER)
        return deployer
