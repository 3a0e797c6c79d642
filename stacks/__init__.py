"""Stacks, declared in ``configs/stacks/*.yaml``: read, apply, check, secrets; the cloud stack's servers."""
