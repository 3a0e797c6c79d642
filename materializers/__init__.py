"""How each typed artifact is stored (Parquet, safetensors, ONNX, NumPy, JSON; never pickle) and previewed.

Importing this package registers every materializer with ZenML; pipelines do so before a step runs.
"""

from materializers.checkpoint import CheckpointMaterializer
from materializers.documents import (
    BentoMaterializer,
    CheckReportMaterializer,
    DecisionMaterializer,
    DeploymentMaterializer,
    ScoringReportMaterializer,
)
from materializers.evaluation import EvaluationMaterializer
from materializers.monitoring import ReferenceMaterializer, WindowMaterializer
from materializers.reviews import ReviewsMaterializer, SplitsMaterializer
from materializers.servable import ServableMaterializer

__all__ = [
    "BentoMaterializer",
    "CheckReportMaterializer",
    "CheckpointMaterializer",
    "DecisionMaterializer",
    "DeploymentMaterializer",
    "EvaluationMaterializer",
    "ReferenceMaterializer",
    "ReviewsMaterializer",
    "ScoringReportMaterializer",
    "ServableMaterializer",
    "SplitsMaterializer",
    "WindowMaterializer",
]
