"""What numba has compiled or loaded in this process."""

from __future__ import annotations

import gc

from numba.core.dispatcher import Dispatcher


def signatures() -> set[str]:
    """Every kernel of kb with the types that it has been called with: "kb.engine.best.find_best(int64, …)"."""
    kernels = [one for one in gc.get_objects() if isinstance(one, Dispatcher)]
    return {
        f"{one.py_func.__module__}.{one.py_func.__name__}{types}"
        for one in kernels
        if one.py_func.__module__.startswith("kb.")
        for types in one.signatures
    }
