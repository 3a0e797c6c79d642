"""Finds the programs that pip does not install."""

import pytest

from stacks.processes import find_program

needs_nginx = pytest.mark.skipif(find_program("nginx") is None, reason="nginx is not installed (Debian's package)")
