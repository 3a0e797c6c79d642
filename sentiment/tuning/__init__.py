"""Hyperparameter search: the space, the study that resumes, and the honest comparison of its winners."""
