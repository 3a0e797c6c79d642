import resource
import subprocess
import sys
from pathlib import Path

import pytest

from sentiment.models.allocation import reusing_memory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
MIB = 1 << 20
ROOT = Path(__file__).resolve().parents[3]


def page_faults():
    """Allocations of twenty steps that each need the same 64 MiB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        b"x" * (64 * MIB)  # numpy would ask for huge pages, of which a system has some or none
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def measure():
    """Page faults with the setting, and after it."""
    with reusing_memory():
        reused = page_faults()
    return reused, page_faults()


def test_a_step_takes_the_memory_that_the_one_before_it_freed():
    """In a process of its own: what other tests have freed would be taken, too."""
    code = f"from {__name__} import measure; print(*measure())"
    printed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    reused, fresh = map(int, printed.split())
    assert reused < fresh / 5
