// use lib/grid.wgsl
// use lib/broadcast.wgsl
//
// out = f(a, b) of int32, modulo 2³², with numpy broadcasting. OP: 0 add, 1 sub, 2 mul, 3 div toward zero
// (x / 0 is 0), 4 and, 5 or, 6 xor, 7 equal, 8 less, 9 less or equal; the last three give 0 or 1.
//
// int64 and bool lie as int32 too. An invocation owns one word; padding lanes hold what comes out.

override WORKGROUP: u32 = 64;
override OP: u32 = 0;

struct Params {
  count: u32, // words of out
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
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4i>;
@group(0) @binding(2) var<storage, read> b: array<vec4i>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4i>; // (dim0, …, dim5)

fn apply(p: vec4i, q: vec4i) -> vec4i {
  switch OP {
    case 0u: { return p + q; }
    case 1u: { return p - q; }
    case 2u: { return p * q; }
    case 3u: { return select(p / q, vec4i(0), q == vec4i(0)); }
    case 4u: { return p & q; }
    case 5u: { return p | q; }
    case 6u: { return p ^ q; }
    case 7u: { return vec4i(p == q); }
    case 8u: { return vec4i(p < q); }
    default: { return vec4i(p <= q); }
  }
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
  out[index] = apply(p, q);
}
