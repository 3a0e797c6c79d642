"""Versions of the model and their records, in ZenML's Model Control Plane and in MLflow's registry."""
