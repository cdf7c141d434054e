"""Sixteen rays through one slice of voxels as boxes: which of them, and how much of each. Part of `siddon`.

A ray that moves by at most one voxel across a slice crosses at most one face along p and one along q on its way, so it
meets at most three voxels: the one it enters by, the one it leaves by, and one between. That is exact, and the same
few steps for all sixteen.
"""

from __future__ import annotations

from typing import Any, Final

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from trajplan.fluoroscopy.lanes import FLOAT, INT, LANES, coefficients_of, curve_of, float_lanes

_NOTHING: Final = -32768  # the CT number of what lies beyond the volume
_NOTHING_TWICE: Final = -0x7FFF8000
_ONE: Final = ir.Constant(FLOAT, [1.0] * LANES)


def _int(value: int) -> Any:
    return ir.Constant(INT, [value] * LANES)


def _splat_int(builder: Any, value: Any) -> Any:
    one = builder.insert_element(ir.Constant(INT, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(one, ir.Constant(INT, ir.Undefined), _int(0))


def _floor(builder: Any, value: Any) -> Any:
    kind = ir.FunctionType(FLOAT, [FLOAT])
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.floor.v{LANES}f32")
    return builder.call(function, [value])


def _gather(builder: Any, data: Any, element: Any, align: int, index: Any, wanted: Any) -> Any:
    """The 32 bits at `index` elements from `data`, sixteen times; nothing is touched where not `wanted`."""
    word = ir.IntType(32)
    places = builder.gep(data, [index], source_etype=element)
    places.type = ir.VectorType(word.as_pointer(), LANES)  # llvmlite takes it for one place
    kind = ir.FunctionType(INT, [places.type, word, ir.VectorType(ir.IntType(1), LANES), INT])
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.masked.gather.v{LANES}i32.v{LANES}p0")
    return builder.call(function, [places, word(align), wanted, _int(_NOTHING_TWICE)])


def _number(builder: Any, bits: Any, upper: Any) -> Any:
    """The upper or lower int16 of 32 bits, as int32."""
    up = builder.select(upper, _int(0), _int(16))
    return builder.ashr(builder.shl(bits, up), _int(16))


def _any(builder: Any, lanes: Any) -> Any:
    return builder.icmp_unsigned("!=", builder.bitcast(lanes, ir.IntType(LANES)), ir.IntType(LANES)(0))


@intrinsic
def faces_met(_typing: Any, p0: Any, q0: Any, p1: Any, q1: Any) -> Any:
    """Which faces any of the rays crosses between (p0, q0) and (p1, q1): 1 along p, + 2 along q, + 4 one ray both."""

    def make(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        a, b, c, d = (_floor(builder, value) for value in arguments)
        along_p, along_q = builder.fcmp_ordered("!=", a, c), builder.fcmp_ordered("!=", b, d)
        number = ir.IntType(64)
        total = number(0)
        for weight, lanes in ((1, along_p), (2, along_q), (4, builder.and_(along_p, along_q))):
            total = builder.add(total, builder.mul(builder.zext(_any(builder, lanes), number), number(weight)))
        return total

    return types.intp(float_lanes, float_lanes, float_lanes, float_lanes), make


def _value(builder: Any, data: Any, base: Any, i: Any, j: Any, sizes: Any, curve: Any) -> Any:
    """Attenuation of voxel (i, j) of the slice at `base`; 0 beyond the volume."""
    stride_p, stride_q, n_p, n_q = sizes
    inside = builder.and_(builder.icmp_unsigned("<", i, n_p), builder.icmp_unsigned("<", j, n_q))
    index = builder.add(base, builder.add(builder.mul(i, stride_p), builder.mul(j, stride_q)))
    # the aligned pair is fetched, so nothing beyond the array is touched
    word = ir.IntType(32)
    bits = _gather(builder, builder.bitcast(data, word.as_pointer()), word, 4, builder.lshr(index, _int(1)), inside)
    odd = builder.icmp_unsigned("!=", builder.and_(index, _int(1)), _int(0))
    return curve_of(builder, _number(builder, bits, odd), curve)


def _pair(builder: Any, data: Any, base: Any, i: tuple[Any, Any], j: Any, sizes: Any, curve: Any) -> tuple[Any, Any]:
    """Attenuation of voxels (i[0], j) and (i[1], j), neighbours in memory, by one fetch; 0 beyond the volume."""
    _, stride_q, n_p, n_q = sizes
    first = builder.select(builder.icmp_signed("<", *i), *i)
    first = builder.select(builder.icmp_signed("<", first, _int(0)), _int(0), first)
    last = builder.sub(n_p, _int(2))
    first = builder.select(builder.icmp_signed(">", first, last), last, first)
    short = ir.IntType(16)
    index = builder.add(base, builder.add(first, builder.mul(j, stride_q)))
    bits = _gather(
        builder, builder.bitcast(data, short.as_pointer()), short, 2, index, builder.icmp_unsigned("<", j, n_q)
    )
    found = []
    for voxel in i:
        number = _number(builder, bits, builder.icmp_signed("!=", voxel, first))
        number = builder.select(builder.icmp_unsigned("<", voxel, n_p), number, _int(_NOTHING))
        found.append(curve_of(builder, number, curve))
    return found[0], found[1]


def _prepared(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    hu, base, stride_p, stride_q, n_p, n_q, curve = arguments[:7]
    data = cgutils.create_struct_proxy(signature.args[0])(context, builder, hu).data
    sizes = [_splat_int(builder, builder.trunc(value, ir.IntType(32))) for value in (stride_p, stride_q, n_p, n_q)]
    start = _splat_int(builder, builder.trunc(base, ir.IntType(32)))
    return data, start, sizes, coefficients_of(context, builder, signature.args[6], curve)


_SLICE: Final = (types.intp,) * 5


@intrinsic
def whole_slice(
    _typing: Any, hu: Any, base: Any, stride_p: Any, stride_q: Any, n_p: Any, n_q: Any, curve: Any, p0: Any, q0: Any
) -> Any:
    """Attenuation of the voxels at (p0, q0), for rays that stay in them."""

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data, start, sizes, coefficients = _prepared(context, builder, signature, arguments)
        i, j = (builder.fptosi(_floor(builder, value), INT) for value in arguments[7:])
        return _value(builder, data, start, i, j, sizes, coefficients)

    return float_lanes(hu, *_SLICE, curve, float_lanes, float_lanes), make


def _passed(builder: Any, begin: Any, end: Any, rate: Any) -> Any:
    """First and last voxel, and the share of the way at which the face between them is met (1: none).

    Rounding may put the share a millionth beyond 0 or 1; the pieces still add up to the whole way.
    """
    first, last = _floor(builder, begin), _floor(builder, end)
    face = builder.select(builder.fcmp_ordered(">", first, last), first, last)
    share = builder.fmul(builder.fsub(face, begin), rate)
    share = builder.select(builder.fcmp_ordered("!=", first, last), share, _ONE)
    return builder.fptosi(first, INT), builder.fptosi(last, INT), share


def _crossed(twice: bool) -> Any:
    def slice_(
        _typing: Any, hu: Any, base: Any, stride_p: Any, stride_q: Any, n_p: Any, n_q: Any, curve: Any,
        p0: Any, q0: Any, p1: Any, q1: Any, per_p: Any, per_q: Any
    ) -> Any:  # fmt: skip
        def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            data, start, sizes, coefficients = _prepared(context, builder, signature, arguments)
            p_in, q_in, p_out, q_out, rate_p, rate_q = arguments[7:]
            i0, i1, at_p = _passed(builder, p_in, p_out, rate_p)
            j0, j1, at_q = _passed(builder, q_in, q_out, rate_q)
            p_first = builder.fcmp_ordered("<", at_p, at_q)
            early, late = builder.select(p_first, at_p, at_q), builder.select(p_first, at_q, at_p)
            total = builder.fmul(_value(builder, data, start, i0, j0, sizes, coefficients), early)
            end = _value(builder, data, start, i1, j1, sizes, coefficients)
            if not twice:
                return builder.fadd(total, builder.fmul(end, builder.fsub(_ONE, early)))
            i, j = builder.select(p_first, i1, i0), builder.select(p_first, j0, j1)
            between = _value(builder, data, start, i, j, sizes, coefficients)
            total = builder.fadd(total, builder.fmul(between, builder.fsub(late, early)))
            return builder.fadd(total, builder.fmul(end, builder.fsub(_ONE, late)))

        return float_lanes(hu, *_SLICE, curve, *(float_lanes,) * 6), make

    return intrinsic(slice_)


def _neighbours(both: bool) -> Any:
    def slice_(
        _typing: Any, hu: Any, base: Any, stride_p: Any, stride_q: Any, n_p: Any, n_q: Any, curve: Any,
        p0: Any, q0: Any, p1: Any, q1: Any, per_p: Any, per_q: Any
    ) -> Any:  # fmt: skip
        def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            data, start, sizes, coefficients = _prepared(context, builder, signature, arguments)
            p_in, q_in, p_out, q_out, rate_p, rate_q = arguments[7:]
            i0, i1, at_p = _passed(builder, p_in, p_out, rate_p)
            if not both:
                j = builder.fptosi(_floor(builder, q_in), INT)
                first, last = _pair(builder, data, start, (i0, i1), j, sizes, coefficients)
                return builder.fadd(builder.fmul(first, at_p), builder.fmul(last, builder.fsub(_ONE, at_p)))
            j0, j1, at_q = _passed(builder, q_in, q_out, rate_q)
            here = _pair(builder, data, start, (i0, i1), j0, sizes, coefficients)
            there = _pair(builder, data, start, (i0, i1), j1, sizes, coefficients)
            p_first = builder.fcmp_ordered("<", at_p, at_q)
            early, late = builder.select(p_first, at_p, at_q), builder.select(p_first, at_q, at_p)
            between = builder.select(p_first, here[1], there[0])
            total = builder.fmul(here[0], early)
            total = builder.fadd(total, builder.fmul(between, builder.fsub(late, early)))
            return builder.fadd(total, builder.fmul(there[1], builder.fsub(_ONE, late)))

        return float_lanes(hu, *_SLICE, curve, *(float_lanes,) * 6), make

    return intrinsic(slice_)


beside_once = _neighbours(False)
"""`crossed_once` where voxels along p lie side by side in memory and no ray crosses a face along q: one fetch."""

beside_twice = _neighbours(True)
"""`crossed_twice` where voxels along p lie side by side in memory: two fetches instead of three."""

crossed_once = _crossed(False)
"""Mean attenuation between (p0, q0) and (p1, q1) for rays that meet one face or none; `per_p` = 1 / (p1 - p0)."""

crossed_twice = _crossed(True)
"""The same for rays of which some meet a face along p and one along q."""
