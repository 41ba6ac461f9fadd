// use lib/grid.wgsl
// use lib/dot4.wgsl
//
// out = x as int8 or uint8: the low eight bits, as C does it, or the nearest value there is (SATURATE)
//
// uint8 is stored less 128. The layout stays. An invocation owns one word of four elements.

override WORKGROUP: u32 = 64;
override SATURATE: bool = false;
override SIGNED: bool = false; // int8, else uint8

struct Params {
  count: u32, // words
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4i>;       // (count)
@group(0) @binding(2) var<storage, read_write> out: array<u32>; // (count)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let v = x[index];
  if (SIGNED) {
    out[index] = pack(select((v << vec4u(24)) >> vec4u(24), clamp(v, vec4i(-128), vec4i(127)), SATURATE));
  } else {
    out[index] = pack(select(v & vec4i(255), clamp(v, vec4i(0), vec4i(255)), SATURATE) - 128);
  }
}
