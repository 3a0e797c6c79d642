import resource
import sys

import pytest

from sentiment.models.allocation import reusing_memory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
MIB = 1 << 20


def page_faults():
    """Allocations of twenty steps that each need the same 64 MiB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        b"x" * (64 * MIB)  # numpy would ask for huge pages, of which a system has some or none
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def test_a_step_takes_the_memory_that_the_one_before_it_freed():
    with reusing_memory():
        reused = page_faults()
    assert reused < page_faults() / 5
