"""The pipelines, one a file: the order of their steps, and nothing else."""
