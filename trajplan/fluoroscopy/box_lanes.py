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

_LONG: Final = ir.VectorType(ir.IntType(64), LANES)
_NOTHING: Final = -0x7FFF8000  # twice -32768, the CT number of what lies beyond the volume
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


def _gather(builder: Any, address: Any, index: Any, wanted: Any) -> Any:
    """int16 numbers at `index` as int32, the least of all where not `wanted`.

    The aligned pair is fetched, so nothing beyond the array is touched.
    """
    word = builder.lshr(index, _int(1))
    base = builder.insert_element(ir.Constant(_LONG, ir.Undefined), address, ir.Constant(ir.IntType(32), 0))
    base = builder.shuffle_vector(base, ir.Constant(_LONG, ir.Undefined), _int(0))
    places = builder.add(base, builder.shl(builder.zext(word, _LONG), ir.Constant(_LONG, [2] * LANES)))
    pointers = ir.VectorType(ir.IntType(32).as_pointer(), LANES)
    mask = ir.VectorType(ir.IntType(1), LANES)
    kind = ir.FunctionType(INT, [pointers, ir.IntType(32), mask, INT])
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.masked.gather.v{LANES}i32.v{LANES}p0")
    pairs = builder.call(function, [builder.inttoptr(places, pointers), ir.IntType(32)(4), wanted, _int(_NOTHING)])
    left = builder.shl(builder.sub(_int(1), builder.and_(index, _int(1))), _int(4))
    return builder.ashr(builder.shl(pairs, left), _int(16))


def _any(builder: Any, lanes: Any) -> Any:
    return builder.icmp_unsigned("!=", builder.bitcast(lanes, ir.IntType(LANES)), ir.IntType(LANES)(0))


@intrinsic
def faces_met(_typing: Any, p0: Any, q0: Any, p1: Any, q1: Any) -> Any:
    """0: none of the rays leaves its voxel between (p0, q0) and (p1, q1); 1: none crosses two faces; 2: some do."""

    def make(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        a, b, c, d = (_floor(builder, value) for value in arguments)
        along_p, along_q = builder.fcmp_ordered("!=", a, c), builder.fcmp_ordered("!=", b, d)
        number = ir.IntType(64)
        some = builder.zext(_any(builder, builder.or_(along_p, along_q)), number)
        return builder.add(some, builder.zext(_any(builder, builder.and_(along_p, along_q)), number))

    return types.intp(float_lanes, float_lanes, float_lanes, float_lanes), make


def _value(builder: Any, address: Any, base: Any, i: Any, j: Any, sizes: Any, curve: Any) -> Any:
    """Attenuation of voxel (i, j) of the slice at `base`; 0 beyond the volume."""
    stride_p, stride_q, n_p, n_q = sizes
    inside = builder.and_(builder.icmp_unsigned("<", i, n_p), builder.icmp_unsigned("<", j, n_q))
    index = builder.add(base, builder.add(builder.mul(i, stride_p), builder.mul(j, stride_q)))
    return curve_of(builder, _gather(builder, address, index, inside), curve)


def _prepared(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    hu, base, stride_p, stride_q, n_p, n_q, curve = arguments[:7]
    data = cgutils.create_struct_proxy(signature.args[0])(context, builder, hu).data
    address = builder.ptrtoint(data, ir.IntType(64))
    sizes = [_splat_int(builder, builder.trunc(value, ir.IntType(32))) for value in (stride_p, stride_q, n_p, n_q)]
    start = _splat_int(builder, builder.trunc(base, ir.IntType(32)))
    return address, start, sizes, coefficients_of(context, builder, signature.args[6], curve)


_SLICE: Final = (types.intp,) * 5


@intrinsic
def whole_slice(
    _typing: Any, hu: Any, base: Any, stride_p: Any, stride_q: Any, n_p: Any, n_q: Any, curve: Any, p0: Any, q0: Any
) -> Any:
    """Attenuation of the voxels at (p0, q0), for rays that stay in them."""

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address, start, sizes, coefficients = _prepared(context, builder, signature, arguments)
        i, j = (builder.fptosi(_floor(builder, value), INT) for value in arguments[7:])
        return _value(builder, address, start, i, j, sizes, coefficients)

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
            address, start, sizes, coefficients = _prepared(context, builder, signature, arguments)
            p_in, q_in, p_out, q_out, rate_p, rate_q = arguments[7:]
            i0, i1, at_p = _passed(builder, p_in, p_out, rate_p)
            j0, j1, at_q = _passed(builder, q_in, q_out, rate_q)
            p_first = builder.fcmp_ordered("<", at_p, at_q)
            early, late = builder.select(p_first, at_p, at_q), builder.select(p_first, at_q, at_p)
            total = builder.fmul(_value(builder, address, start, i0, j0, sizes, coefficients), early)
            end = _value(builder, address, start, i1, j1, sizes, coefficients)
            if not twice:
                return builder.fadd(total, builder.fmul(end, builder.fsub(_ONE, early)))
            i, j = builder.select(p_first, i1, i0), builder.select(p_first, j0, j1)
            between = _value(builder, address, start, i, j, sizes, coefficients)
            total = builder.fadd(total, builder.fmul(between, builder.fsub(late, early)))
            return builder.fadd(total, builder.fmul(end, builder.fsub(_ONE, late)))

        return float_lanes(hu, *_SLICE, curve, *(float_lanes,) * 6), make

    return intrinsic(slice_)


crossed_once = _crossed(False)
"""Mean attenuation between (p0, q0) and (p1, q1) for rays that meet one face or none; `per_p` = 1 / (p1 - p0)."""

crossed_twice = _crossed(True)
"""The same for rays of which some meet a face along p and one along q."""
