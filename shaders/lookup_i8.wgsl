// use lib/grid.wgsl
// use lib/dot4.wgsl
//
// out = table[x + 128], lane by lane
//
// Any function of one quantized value is a table of 256: the host fills it with
// quantize(f(dequantize(q))), so the result is exact. The layout stays. An invocation owns one word.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32, // words
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;         // (count)
@group(0) @binding(2) var<storage, read> table: array<i32>;     // (256)
@group(0) @binding(3) var<storage, read_write> out: array<u32>; // (count)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let q = lanes(x[index]) + 128;
  out[index] = pack(vec4i(table[q.x], table[q.y], table[q.z], table[q.w]));
}
