"""Runs of the pipelines: each module starts one, reads its outcome, and prints it."""
