"""Rollouts: how a new service is tested before it goes live (smoke test, canary, shadow)."""
