"""Where compiled kernels are kept: a folder of their own, private to whoever runs kb, named by all that shapes them.

What lies there is machine code that will be run: nobody else may be able to put anything into it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from functools import lru_cache
from pathlib import Path

import llvmlite.binding as llvm
from llvmlite import __version__ as llvmlite_version
from numba import __version__ as numba_version

COMPLETE = "complete"  # the file that says that every kernel has been compiled
KEPT_SECONDS = (
    30 * 24 * 3600
)  # kernels of other sources, another Python or processor, since their last warm-up


@lru_cache(maxsize=1)
def folder() -> Path:
    """In the environment that kb is installed in, or in the data folder where that cannot be written to."""
    own = os.environ.get("NUMBA_CACHE_DIR")
    data = Path(os.environ.get("KB_DATA", "data")).absolute()
    places = [Path(own)] if own else [Path(sys.prefix) / "var" / "kb-kernels", data / "kernels"]
    found = [place / _name() for place in places]
    return next((place for place in found if _is_private(place)), found[-1])


def _is_private(place: Path) -> bool:
    """Whether it is there, is ours, and is open to nobody else. Made when it is missing."""
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = place.stat()
    except OSError:
        return False
    return known.st_uid == os.geteuid() and not known.st_mode & 0o077 and os.access(place, os.W_OK)


def _name() -> str:
    """numba would notice neither a change of a kernel in another file nor that none is missing."""
    sources = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    facts = [__file__, numba_version, llvmlite_version, sys.version, os.geteuid()]
    facts += [llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()]
    digest = hashlib.sha256(repr(facts).encode())
    for source in sources:
        if b"kb.engine.compiled" in source or source.startswith(b'"""numba as'):
            digest.update(source)
    return digest.hexdigest()[:16]


def is_complete() -> bool:
    """Whether nothing is left to compile."""
    return (folder() / COMPLETE).exists()


def complete() -> None:
    """Say so, and remove what was compiled from older sources and has not been used for long."""
    (folder() / COMPLETE).touch()
    for other in folder().parent.glob("*"):
        mark = other / COMPLETE
        if mark.exists() and mark.stat().st_mtime < time.time() - KEPT_SECONDS:
            shutil.rmtree(other, ignore_errors=True)
