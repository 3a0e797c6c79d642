"""The domain library: how reviews become a tested, calibrated sentiment model.

Knows nothing of ZenML, MLflow or BentoML; imports nothing of the house.
"""
