"""What the kernels are made of: the compile decorator, unaligned 8-byte loads and leading-zero counts.

Numba's on-disk cache watches only the file of the function that was compiled. After an edit of a kernel that
other modules call, remove `provkit/index/__pycache__/*.nb?`, or those keep the old code inlined.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import intrinsic

T = TypeVar("T")


def kernel(function: Callable[..., T]) -> Callable[..., T]:
    """Compiles a function without the GIL and keeps the machine code on disk."""
    compiled: Any = numba.njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")(function)
    return cast("Callable[..., T]", compiled)


@kernel
def signed(number: Any) -> int:
    """A number read from an array as int64: numba makes a float of uint64 and int64 together."""
    return np.int64(number)  # type: ignore[return-value]


@intrinsic
def _load8(typingctx: Any, array: Any, at: Any) -> Any:
    """Bytes `at` to `at + 7` of a uint8 array as one big-endian number; the caller has checked the bounds."""
    signature = types.uint64(array, types.intp)

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        view = context.make_array(signature.args[0])(context, builder, args[0])
        word = ir.IntType(64)
        address = builder.bitcast(builder.gep(view.data, [args[1]]), word.as_pointer())
        return builder.bswap(builder.load(address, align=1))

    return signature, code


@intrinsic
def _prefetch(typingctx: Any, array: Any, at: Any) -> Any:
    """Asks for the cache line of an array element; the caller has checked the bounds."""
    signature = types.void(array, types.intp)

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        view = context.make_array(signature.args[0])(context, builder, args[0])
        byte = ir.IntType(8).as_pointer()
        number = ir.IntType(32)
        called = builder.module.declare_intrinsic(
            "llvm.prefetch", [byte], ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        )
        address = builder.bitcast(builder.gep(view.data, [args[1]]), byte)
        builder.call(called, [address, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return signature, code


@intrinsic
def _equal_bytes(typingctx: Any, difference: Any) -> Any:
    """How many leading bytes of two big-endian words agree, from their exclusive or, which is not zero."""
    signature = types.int64(types.uint64)

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        zeros = builder.ctlz(args[0], ir.Constant(ir.IntType(1), 1))
        return builder.lshr(zeros, ir.Constant(ir.IntType(64), 3))

    return signature, code


# As their callers see them: numba fills in the first argument.
load8: Callable[..., np.uint64] = cast("Any", _load8)
prefetch: Callable[..., None] = cast("Any", _prefetch)
equal_bytes: Callable[..., int] = cast("Any", _equal_bytes)
