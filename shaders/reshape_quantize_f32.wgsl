// use lib/grid.wgsl
// use lib/reshape.wgsl
// use lib/dot4.wgsl
// use lib/requantize.wgsl
//
// out = quantize(x) with another shape, the row-major order of the logical (ONNX) elements unchanged
//                                                              docs/quantization.md (2)
//
// The way of a float input into an integer graph: a dense array is a tensor with one axis. An
// invocation owns one word of out; its padding lanes hold the code of 0.

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
  reciprocal: f32, // fl(1 / scale)
  zeroPoint: i32,
  low: i32,
  high: i32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let first = (index % (params.dim5 / 4u)) * 4u;
  let position = rowMajorOf(index);
  var word = vec4f(0);
  for (var lane = 0u; lane < 4u; lane++) {
    if (first + lane < params.last) {
      word[lane] = x[elementOf(position + (first + lane) * params.weight5)];
    }
  }
  let r = rounding(params.zeroPoint, params.low, params.high);
  out[index] = pack(requantize(word, vec4f(params.reciprocal), r));
}
