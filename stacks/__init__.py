"""Stacks: what pipelines run on, declared in ``configs/stacks/*.yaml``."""
