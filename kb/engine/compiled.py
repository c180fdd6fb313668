"""numba as this engine uses it: cached where only this installation reads it, without the GIL, raw loads from mapped files.

Arrays of an index are reached by their addresses: one table of numbers goes into a kernel instead of twenty arrays for
every segment, which alone took longer than most queries. Whoever calls keeps the arrays alive (see snapshot.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba as untyped_numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.caching import FunctionCache
from numba.core.runtime import nrt
from numba.extending import intrinsic as untyped_intrinsic

from kb.engine import kernel_cache

Array = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]
F = TypeVar("F", bound=Callable[..., Any])

numba: Any = untyped_numba  # its types know neither _nrt nor config
_null: Any = cgutils.get_null_value
_declared: Any = cgutils.get_or_insert_function

intrinsic = cast(Callable[[Callable[..., Any]], Any], untyped_intrinsic)
whole = cast(
    Callable[[Any], int], np.int64
)  # in kernels: an unsigned number and a signed one would make a float


numba.config.CACHE_DIR = str(kernel_cache.folder())


class _Cache(FunctionCache):
    """numba's, but opened when the kernel is first called, and loading does not make ready to compile.

    Of the start of a command that took a fifth of a second.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._is_open = False

    def load_overload(self, signature: Any, context: Any) -> Any:
        if not self._is_open:
            super().__init__(self._function)  # type: ignore[no-untyped-call]
            self._is_open = True
        nrt.rtsys.initialize(context)
        loaded = self._load_overload(signature, context)  # type: ignore[no-untyped-call]
        return loaded or super().load_overload(signature, context)  # type: ignore[no-untyped-call]


def _cached(function: F, *, nogil: bool = True, **options: Any) -> F:
    compiled = numba.njit(nogil=nogil, error_model="numpy", **options)(function)
    compiled._cache = _Cache(function)
    kept: F = compiled
    return kept


def kernel(function: F) -> F:
    """Compiled when first called, then read from the cache. Divides as numpy does, and checks no bounds."""
    return _cached(function)


def brief(function: F) -> F:
    """A kernel of microseconds, which keeps the GIL: with two threads, giving it away and waiting for it takes longer."""
    return _cached(function, nogil=False)


def loop(function: F) -> F:
    """The same for what makes no array: arrays handed in are not counted, which would take a third of a query's time."""
    return _cached(function, _nrt=False)


def inlined(function: F) -> F:
    """A loop that becomes part of its caller: for what is called so often that handing over many arrays would cost most."""
    compiled: F = numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False, forceinline=True)(
        function
    )
    return compiled


def _loader(stored: Any, loaded: Any) -> Any:
    @intrinsic
    def load(_context: Any, address: Any, index: Any) -> Any:
        """The number at `index` of the array that begins at `address`."""

        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            kind = context.get_data_type(stored)
            pointer = builder.inttoptr(arguments[0], kind.as_pointer())
            value = builder.load(builder.gep(pointer, [arguments[1]]))
            return context.cast(builder, value, stored, loaded)

        return loaded(types.int64, types.int64), generate

    return load


def _matcher(compare: Callable[[Any, Any, Any], Any]) -> Any:
    @intrinsic
    def match(_context: Any, address: Any, index: Any, byte: Any) -> Any:
        """One bit for each of the 64 bytes from `index` on, the first in the lowest: whether it stands so to `byte`."""

        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            kind = ir.VectorType(ir.IntType(8), 64)
            pointer = builder.inttoptr(builder.add(arguments[0], arguments[1]), kind.as_pointer())
            found = builder.load(pointer, align=1)
            wanted = builder.trunc(arguments[2], ir.IntType(8))
            first = builder.insert_element(ir.Constant(kind, ir.Undefined), wanted, ir.IntType(32)(0))
            every = builder.shuffle_vector(
                first, first, ir.Constant(ir.VectorType(ir.IntType(32), 64), [0] * 64)
            )
            return builder.bitcast(compare(builder, found, every), ir.IntType(64))

        return types.int64(types.int64, types.int64, types.int64), generate

    return match


@intrinsic
def _spread64(_context: Any, address: Any, index: Any, bits: Any, byte: Any) -> Any:
    """Writes 64 bytes: `byte` where the bit is set, else 0."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        kind = ir.VectorType(ir.IntType(8), 64)
        pointer = builder.inttoptr(builder.add(arguments[0], arguments[1]), kind.as_pointer())
        chosen = builder.bitcast(arguments[2], ir.VectorType(ir.IntType(1), 64))
        wanted = builder.trunc(arguments[3], ir.IntType(8))
        first = builder.insert_element(ir.Constant(kind, ir.Undefined), wanted, ir.IntType(32)(0))
        every = builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(ir.IntType(32), 64), [0] * 64))
        builder.store(builder.select(chosen, every, ir.Constant(kind, None)), pointer, align=1)
        return _null(context.get_value_type(types.none))

    return types.none(types.int64, types.int64, types.int64, types.int64), generate


@intrinsic
def _lowest_bit(_context: Any, bits: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.IntType(1)(0))

    return types.int64(types.int64), generate


@intrinsic
def _count_bits(_context: Any, bits: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.int64), generate


@intrinsic
def _prefetch(_context: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        number, pointer = ir.IntType(32), ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        function = _declared(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [builder.inttoptr(arguments[0], pointer), number(0), number(3), number(1)])
        return _null(context.get_value_type(types.none))

    return types.none(types.int64), generate


prefetch: Callable[[int], None] = _prefetch  # has the line of an address fetched while other work goes on
# Whether each of 64 bytes is the given one, or is less than it. They may read up to 63 bytes behind an array.
equal64: Callable[[int, int, int], int] = _matcher(
    lambda builder, one, other: builder.icmp_unsigned("==", one, other)
)
below64: Callable[[int, int, int], int] = _matcher(
    lambda builder, one, other: builder.icmp_unsigned("<", one, other)
)
spread64: Callable[[int, int, int, int], None] = _spread64  # the way back from bits to 64 bytes
lowest_bit: Callable[[int], int] = _lowest_bit  # its place; 64 when there is none
count_bits: Callable[[int], int] = _count_bits
u1: Callable[[int, int], int] = _loader(types.uint8, types.int64)
u2: Callable[[int, int], int] = _loader(types.uint16, types.int64)
u4: Callable[[int, int], int] = _loader(types.uint32, types.int64)
i8: Callable[[int, int], int] = _loader(types.int64, types.int64)
f4: Callable[[int, int], float] = _loader(types.float32, types.float64)
f8: Callable[[int, int], float] = _loader(types.float64, types.float64)


def address(array: Array) -> int:
    """Where the array's first number lies; 0 for an empty one."""
    place: int = array.__array_interface__["data"][0]
    return place if array.size else 0
