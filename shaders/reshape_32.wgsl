// use lib/grid.wgsl
// use lib/reshape.wgsl
//
// out = x with another shape, the row-major order of the logical (ONNX) elements unchanged
//
// Also the way in and out of the packed layouts: a dense array is a tensor with one axis. An
// invocation owns one word of out; its padding lanes become 0. Elements are bits: float32 and int32 alike.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32, // words of out
  last: u32,  // elements of its last axis, padding excluded
  dim1: u32,
  dim2: u32,
  dim3: u32,
  dim4: u32,
  dim5: u32,
  weight0: u32,
  weight1: u32,
  weight2: u32,
  weight3: u32,
  weight4: u32,
  weight5: u32,
  size1: u32,
  size2: u32,
  size3: u32,
  size4: u32,
  size5: u32,
  stride0: u32,
  stride1: u32,
  stride2: u32,
  stride3: u32,
  stride4: u32,
  stride5: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4u>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let first = (index % (params.dim5 / 4u)) * 4u;
  let position = rowMajorOf(index);
  var word = vec4u(0);
  for (var lane = 0u; lane < 4u; lane++) {
    if (first + lane < params.last) {
      word[lane] = x[elementOf(position + (first + lane) * params.weight5)];
    }
  }
  out[index] = word;
}
