"""What the cloud stack needs, as servers on this machine without Docker: ``python -m stacks.cloud up``."""
