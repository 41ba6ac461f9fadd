// use lib/grid.wgsl
// use lib/dot4.wgsl
//
// out = fl(f32(q − zeroPoint) · scale)                                      docs/quantization.md (6)
//
// The layout stays. An invocation owns one word.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32, // words
  scale: f32,
  zeroPoint: i32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;           // (count)
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>; // (count)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  out[index] = vec4f(lanes(x[index]) - params.zeroPoint) * params.scale;
}
