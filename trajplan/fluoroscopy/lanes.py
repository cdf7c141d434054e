"""Sixteen float32 at a time: vectors that live in registers inside compiled kernels.

Left to itself the compiler vectorises loops over arrays, with a scalar remainder after each. The projectors' loops are
short (a run of voxels, a block of pixels), so most of the time went to remainders and to running sums that travel
through memory. These few functions name the vector instead. They are LLVM's own portable vectors: one 512-bit
register where the machine has it, two or four narrower ones where it does not, with the same result.

Nothing here checks bounds: whoever calls must know that sixteen (or more) elements lie there.
"""

from __future__ import annotations

from typing import Any, Final

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.extending import intrinsic, register_model

LANES: Final = 16

FLOAT: Final = ir.VectorType(ir.FloatType(), LANES)
_SHORT: Final = ir.VectorType(ir.IntType(16), LANES)
INT: Final = ir.VectorType(ir.IntType(32), LANES)
_RELAXED: Final = ("contract", "nsz", "arcp", "reassoc", "nnan", "ninf")


class _Lanes(types.Type):
    """Numba's name for the vector."""

    def __init__(self) -> None:
        super().__init__(name="trajplan.float32x16")


float_lanes: Final = _Lanes()


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]  # numba has no types
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, FLOAT)


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any, vector: Any) -> Any:
    data = cgutils.create_struct_proxy(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())


def _splat(builder: Any, value: Any) -> Any:
    one = builder.insert_element(ir.Constant(FLOAT, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(one, ir.Constant(FLOAT, ir.Undefined), ir.Constant(INT, [0] * LANES))


def _fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    kind = ir.FunctionType(FLOAT, [FLOAT] * 3)
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{LANES}f32")
    return builder.call(function, [a, b, c])


def _largest(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", a, b, flags=("nnan",)), a, b)


@intrinsic
def load(_typing: Any, array: Any, index: Any) -> Any:
    """Sixteen float32 of a flat array from `index` on."""

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array_value, at = arguments
        place = _pointer(context, builder, signature.args[0], array_value, at, FLOAT)
        return builder.load(place, align=4)

    return float_lanes(array, types.intp), make


@intrinsic
def store(_typing: Any, array: Any, index: Any, value: Any) -> Any:
    """Write sixteen float32 to a flat array from `index` on."""

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array_value, at, vector = arguments
        builder.store(vector, _pointer(context, builder, signature.args[0], array_value, at, FLOAT), align=4)
        return context.get_dummy_value()

    return types.void(array, types.intp, value), make


@intrinsic
def splat(_typing: Any, value: Any) -> Any:
    """One float32 in all sixteen lanes."""

    def make(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return _splat(builder, arguments[0])

    return float_lanes(types.float32), make


@intrinsic
def fma(_typing: Any, a: Any, b: Any, c: Any) -> Any:
    """``a * b + c``, lane by lane, rounded once."""

    def make(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return _fma(builder, *arguments)

    return float_lanes(float_lanes, float_lanes, float_lanes), make


@intrinsic
def subtract(_typing: Any, a: Any, b: Any) -> Any:
    """``a - b``, lane by lane."""

    def make(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.fsub(*arguments, flags=_RELAXED)

    return float_lanes(float_lanes, float_lanes), make


@intrinsic
def add(_typing: Any, a: Any, b: Any) -> Any:
    """``a + b``, lane by lane."""

    def make(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.fadd(*arguments, flags=_RELAXED)

    return float_lanes(float_lanes, float_lanes), make


def curve_of(builder: Any, numbers: Any, coefficients: Any) -> Any:
    """Attenuation of sixteen whole CT numbers: three slopes from `lowest`, 0 and `knee` on, flat from `top` on."""
    lowest, top, knee, offset, first, second, third = (_splat(builder, c) for c in coefficients)
    value = _largest(builder, builder.sitofp(numbers, FLOAT), lowest)
    value = builder.select(builder.fcmp_ordered("<", value, top, flags=("nnan",)), value, top)
    total = _fma(builder, value, first, offset)
    total = _fma(builder, _largest(builder, value, ir.Constant(FLOAT, [0.0] * LANES)), second, total)
    total = _fma(builder, _largest(builder, value, knee), third, total)
    # nothing is exactly nothing, whatever the rounding of the slopes
    return builder.select(builder.fcmp_ordered(">", value, lowest), total, ir.Constant(FLOAT, [0.0] * LANES))


def coefficients_of(context: Any, builder: Any, array_type: Any, array: Any) -> list[Any]:
    data = cgutils.create_struct_proxy(array_type)(context, builder, array).data
    return [builder.load(builder.gep(data, [ir.Constant(ir.IntType(64), k)])) for k in range(7)]


@intrinsic
def attenuation(_typing: Any, hu: Any, index: Any, curve: Any) -> Any:
    """Attenuation of sixteen int16 CT numbers of a flat array from `index` on; `curve` as `Curve.kernel` gives it."""

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, at, curve_value = arguments
        numbers = builder.load(_pointer(context, builder, signature.args[0], array, at, _SHORT), align=2)
        return curve_of(
            builder, builder.sext(numbers, INT), coefficients_of(context, builder, signature.args[2], curve_value)
        )

    return float_lanes(hu, types.intp, curve), make


@intrinsic
def attenuation_across(
    _typing: Any, hu: Any, index: Any, pitch: Any, curve: Any, out: Any, to: Any, out_pitch: Any
) -> Any:
    """Attenuation of a 16 x 16 block of int16 (rows `pitch` apart), written transposed (rows `out_pitch` apart)."""

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, at, step, curve_value, out_array, out_at, out_step = arguments
        coefficients = coefficients_of(context, builder, signature.args[3], curve_value)
        rows = []
        for k in range(LANES):
            here = builder.add(at, builder.mul(step, ir.Constant(step.type, k)))
            numbers = builder.load(_pointer(context, builder, signature.args[0], array, here, _SHORT), align=2)
            rows.append(curve_of(builder, builder.sext(numbers, INT), coefficients))
        low = ir.Constant(INT, [LANES * (k % 2) + k // 2 for k in range(LANES)])
        high = ir.Constant(INT, [LANES * (k % 2) + (LANES + k) // 2 for k in range(LANES)])
        half = LANES // 2
        for _ in range(4):  # interleaving row k with row k + 8, four times over, turns rows into columns
            rows = [
                builder.shuffle_vector(rows[k], rows[k + half], order) for k in range(half) for order in (low, high)
            ]
        for k, row in enumerate(rows):
            there = builder.add(out_at, builder.mul(out_step, ir.Constant(out_step.type, k)))
            place = _pointer(context, builder, signature.args[4], out_array, there, FLOAT)
            builder.store(row, place, align=4)
        return context.get_dummy_value()

    return types.void(hu, types.intp, types.intp, curve, out, types.intp, types.intp), make


@intrinsic
def prefetch(_typing: Any, array: Any, index: Any) -> Any:
    """Ask for the cache line of ``array[index]``; any index is harmless."""

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array_value, at = arguments
        byte = ir.IntType(8).as_pointer()
        data = cgutils.create_struct_proxy(signature.args[0])(context, builder, array_value).data
        place = builder.bitcast(builder.gep(data, [at]), byte)
        word = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [place, word(0), word(1), word(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp), make
