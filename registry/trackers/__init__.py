"""Experiment trackers beside MLflow: each gets a copy of every MLflow run, and none of them can fail a run."""
