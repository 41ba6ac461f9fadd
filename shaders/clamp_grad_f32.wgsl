// use lib/grid.wgsl
//
// out = gradient where low < y < high, else 0. Layout does not matter: an invocation owns one word.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32, // words
  low: f32,
  high: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> y: array<vec4f>;         // (count)
@group(0) @binding(2) var<storage, read> gradient: array<vec4f>;  // (count)
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>; // (count)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let inside = (y[index] > vec4f(params.low)) & (y[index] < vec4f(params.high));
  out[index] = select(vec4f(0), gradient[index], inside);
}
