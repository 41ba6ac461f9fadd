// use lib/grid.wgsl
// use lib/broadcast.wgsl
// use lib/ordered.wgsl
//
// out = a OP b as 0 or 1, with numpy broadcasting. OP: 0 equal, 1 less, 2 less or equal
//
// Floats in, compared as integers in their order, so that NaN and subnormal numbers are what they are on every
// device; int32 words out. An invocation owns one word; padding lanes hold what comes out.

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
@group(0) @binding(1) var<storage, read> a: array<vec4u>; // floats by their bits
@group(0) @binding(2) var<storage, read> b: array<vec4u>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4i>; // (dim0, …, dim5)

fn isNan(bits: vec4u) -> vec4<bool> {
  return (bits & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
}

fn apply(p: vec4u, q: vec4u) -> vec4i {
  let real = !(isNan(p) | isNan(q));
  switch OP {
    case 0u: { return vec4i(real & (ordered(p) == ordered(q))); }
    case 1u: { return vec4i(real & (ordered(p) < ordered(q))); }
    default: { return vec4i(real & (ordered(p) <= ordered(q))); }
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
