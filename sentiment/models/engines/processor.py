"""The processor: its instructions for matrix products, as it reports them to the system."""

from __future__ import annotations

from functools import cache
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
# of x86 and ARM, the most capable first
MATRIX_INSTRUCTIONS = (
    "amx_bf16",
    "amx_int8",
    "avx512_bf16",
    "avx512_vnni",
    "avx_vnni",
    "avx512f",
    "avx2",
    "bf16",
    "i8mm",
    "asimddp",
)


@cache
def instructions() -> tuple[str, ...]:
    """Lists those of ``MATRIX_INSTRUCTIONS`` that this machine has; none where Linux does not list them."""
    try:
        lines = CPUINFO.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return ()
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "").split()
    return tuple(name for name in MATRIX_INSTRUCTIONS if name in flags)
