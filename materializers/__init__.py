"""How each typed artifact is stored (Parquet, safetensors, ONNX, NumPy, JSON; never pickle) and previewed.

Importing this package registers every materializer with ZenML; pipelines do so before a step runs.
"""

from materializers.checkpoint import CheckpointMaterializer
from materializers.documents import (
    BentoMaterializer,
    CheckReportMaterializer,
    CrossValidationMaterializer,
    DecisionMaterializer,
    DeploymentMaterializer,
    LeaderboardMaterializer,
    ScoringReportMaterializer,
    TuningReportMaterializer,
)
from materializers.evaluation import EvaluationMaterializer
from materializers.monitoring import ReferenceMaterializer, WindowMaterializer
from materializers.reviews import ReviewsMaterializer, SplitsMaterializer
from materializers.servable import ServableMaterializer

__all__ = [
    "BentoMaterializer",
    "CheckReportMaterializer",
    "CheckpointMaterializer",
    "CrossValidationMaterializer",
    "DecisionMaterializer",
    "DeploymentMaterializer",
    "EvaluationMaterializer",
    "LeaderboardMaterializer",
    "ReferenceMaterializer",
    "ReviewsMaterializer",
    "ScoringReportMaterializer",
    "ServableMaterializer",
    "SplitsMaterializer",
    "TuningReportMaterializer",
    "WindowMaterializer",
]
