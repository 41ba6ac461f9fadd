// use lib/grid.wgsl
// use lib/requantize.wgsl
//
// out = x as the other type of four bytes: float32 to int32 toward zero, saturating; int32 to float32 to
// the nearest, ties to even
//
// An i32 that f32 cannot hold may convert to either neighbour, so it goes by docs/quantization.md (33).
// The layout stays. An invocation owns one word.

override WORKGROUP: u32 = 64;
override TO_FLOAT: bool = false;

struct Params {
  count: u32, // words
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4u>;         // (count): bits
@group(0) @binding(2) var<storage, read_write> out: array<vec4u>; // (count): bits

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let bits = x[index];
  if (TO_FLOAT) {
    out[index] = bitcast<vec4u>(wideToFloat(bitcast<vec4i>(bits)));
  } else {
    // A conversion saturates at the greatest float below 2³¹.
    let v = bitcast<vec4f>(bits);
    out[index] = bitcast<vec4u>(select(vec4i(v), vec4i(2147483647), v >= vec4f(2147483648.0)));
  }
}
