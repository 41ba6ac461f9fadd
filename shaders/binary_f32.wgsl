// use lib/grid.wgsl
// use lib/broadcast.wgsl
// use lib/power.wgsl
//
// out = clamp(f(a, b), low, high) with numpy broadcasting. OP: 0 add, 1 sub, 2 mul, 3 div, 4 pow (never
// clamped), 5 min, 6 max.
//
// Along the last physical axis an operand has either out's lanes or one lane that is repeated. An
// invocation owns one word; its padding lanes are 0, because 0 / 0 is not a number. NaN stays NaN: no clamp, min
// or max hides it, since bits decide.

override WORKGROUP: u32 = 64;
override OP: u32 = 0;

struct Params {
  count: u32, // words of out
  last: u32,  // elements along out's last axis, padding excluded
  dim1: u32,  // physical sizes of out, outermost first; dim0 is implied
  dim2: u32,
  dim3: u32,
  dim4: u32,
  dim5: u32,  // words of the last axis
  a0: u32,    // strides of a in words, 0 where it repeats
  a1: u32,
  a2: u32,
  a3: u32,
  a4: u32,
  a5: u32,
  b0: u32,    // strides of b in words
  b1: u32,
  b2: u32,
  b3: u32,
  b4: u32,
  b5: u32,
  aSplat: u32, // 1: a has one lane, repeated along the last axis
  bSplat: u32,
  low: f32,
  high: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>; // (dim0, …, dim5)

fn apply(p: vec4f, q: vec4f) -> vec4f {
  switch OP {
    case 0u: { return p + q; }
    case 1u: { return p - q; }
    case 2u: { return p * q; }
    case 4u: { return power(p, q); }
    case 5u: { return min(p, q); }
    case 6u: { return max(p, q); }
    default: { return p / q; }
  }
}

fn isNan(v: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(v) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
}

/** f(p, q), clamped, as bits. */
fn result(p: vec4f, q: vec4f) -> vec4u {
  let y = apply(p, q);
  var bits = bitcast<vec4u>(clamp(y, vec4f(params.low), vec4f(params.high)));
  var none = isNan(y);
  if (OP == 4u) {
    bits = powerBits(p, q, y);
    none = isNan(bitcast<vec4f>(bits));
  }
  if (OP >= 5u) { none = isNan(p) | isNan(q); }
  return select(bits, vec4u(0x7fc00000u), none);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let offset = broadcastOffsets(index);
  var p = a[offset.x];
  if (params.aSplat == 1u) { p = p.xxxx; }
  var q = b[offset.y];
  if (params.bSplat == 1u) { q = q.xxxx; }
  let lane = (index % params.dim5) * 4u + vec4u(0, 1, 2, 3);
  let real = lane < vec4u(params.last);
  q = select(vec4f(1), q, real);
  out[index] = bitcast<vec4f>(select(vec4u(0), result(p, q), real));
}
