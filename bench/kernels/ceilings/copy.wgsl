// The rate of memory: out = x, 16 bytes an invocation, far more of it than any cache holds.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32, // vectors
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4u>;         // (count)
@group(0) @binding(2) var<storage, read_write> out: array<vec4u>; // (count)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.y * groups.x * WORKGROUP + id.x;
  if (index >= params.count) { return; }
  out[index] = x[index];
}
