// use lib/grid.wgsl
// use lib/requantize.wgsl
//
// out = x as another type of four bytes: float32 to int32 toward zero, saturating; int32 to float32 to
// the nearest, ties to even; either to bool, which is x ≠ 0 as 0 or 1
//
// An i32 that f32 cannot hold may convert to either neighbour, so it goes by docs/quantization.md (33). A
// subnormal float, which a device may flush, is not 0 by its bits. The layout stays. An invocation owns one
// word.

override WORKGROUP: u32 = 64;
override FROM_FLOAT: bool = false;
override TO: u32 = 1; // 0 float32, 1 int32, 2 bool

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
  if (TO == 2u) {
    let magnitude = select(bits, bits & vec4u(0x7fffffffu), FROM_FLOAT);
    out[index] = vec4u(magnitude != vec4u(0));
  } else if (TO == 0u) {
    out[index] = bitcast<vec4u>(wideToFloat(bitcast<vec4i>(bits)));
  } else {
    // A conversion saturates at the greatest float below 2³¹.
    let v = bitcast<vec4f>(bits);
    out[index] = bitcast<vec4u>(select(vec4i(v), vec4i(2147483647), v >= vec4f(2147483648.0)));
  }
}
