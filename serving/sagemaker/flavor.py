"""The flavor ``sentiment_sagemaker`` of ZenML's model deployers."""

from __future__ import annotations

from zenml.model_deployers import BaseModelDeployer, BaseModelDeployerFlavor
from zenml.utils import source_utils

from serving.sagemaker.config import SageMakerDeployerConfig

DEPLOYER = "serving.sagemaker.deployer.SageMakerDeployer"  # by its path: the deployer itself imports this module


class SageMakerDeployerFlavor(BaseModelDeployerFlavor):
    """The flavor ``sentiment_sagemaker``."""

    @property
    def name(self) -> str:
        """Returns the name that stack files use."""
        return "sentiment_sagemaker"

    @property
    def config_class(self) -> type[SageMakerDeployerConfig]:
        """Returns the class of its configuration."""
        return SageMakerDeployerConfig

    @property
    def implementation_class(self) -> type[BaseModelDeployer]:
        """Returns the class of the deployer."""
        deployer: type[BaseModelDeployer] = source_utils.load(DEPLOYER)
        return deployer
