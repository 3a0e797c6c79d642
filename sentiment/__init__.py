"""The domain library: how reviews become a tested, calibrated sentiment model.

It does not know ZenML, MLflow or BentoML, and imports no other package of the project.
"""
