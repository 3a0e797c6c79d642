"""Versions of the model and what is recorded about them, in ZenML's Model Control Plane and in MLflow's registry."""
