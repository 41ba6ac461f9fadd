// use lib/grid.wgsl
// use lib/erf.wgsl
// use lib/unary.wgsl
//
// out = f(x), element by element: lib/unary.wgsl. Layout does not matter: an invocation owns one word.

override WORKGROUP: u32 = 64;

@group(0) @binding(2) var<storage, read_write> out: array<vec4u>; // (count), f32 by their bits

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  out[index] = valueAt(index);
}
