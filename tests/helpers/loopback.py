"""Free ports and waiting, for tests of servers on this machine."""

import time

from stacks.addresses import free_port


def free_ports(count):
    """Returns different free ports, outside of the range that the system gives to outgoing connections."""
    ports = []
    while len(ports) < count:
        ports.append(free_port(set(ports)))
    return ports


def until(condition, *, seconds=180):
    """Waits for a condition; fails if it stays false for longer than a slow machine needs."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.02)
