"""The cloud stack's servers on this machine, without Docker: ``python -m stacks.cloud up``."""
