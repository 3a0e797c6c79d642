"""What tests of servers on this machine share."""

import time

from stacks.addresses import free_port


def free_ports(count):
    """Ports that nothing listens on, all different; none that the system gives to a connection meanwhile."""
    ports = []
    while len(ports) < count:
        ports.append(free_port(set(ports)))
    return ports


def until(condition, *, seconds=20):
    """Waits for a condition; fails if it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.02)
