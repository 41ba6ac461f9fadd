// use lib/grid.wgsl
// use lib/dot4.wgsl
// use lib/requantize.wgsl
// use lib/store_real.wgsl
// use lib/join.wgsl
//
// out = fl(fl(f32(Σ_part parts − zeroPoint · sums) · fl(scale · factor)) + bias)     docs/quantization.md (24), (39)
//
// What conv_tiled_parts_i8.wgsl leaves, as conv_tiled_dynamic_i8.wgsl would.

struct Params {
  count: u32,       // words of out
  parts: u32,
  outWords: u32,    // output channels / 4
  low: f32,
  high: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> parts: array<vec4i>; // (parts, count)
@group(0) @binding(2) var<storage, read> sums: array<vec4i>; // (outWords): Σ filter
@group(0) @binding(3) var<storage, read> factors: array<vec4f>; // (2, outWords): scales of the filter, then the bias
@group(0) @binding(4) var<storage, read> scale: array<vec4f>; // (1), or (pixels): of x, in the first lane
@group(0) @binding(5) var<storage, read> zeroPoint: array<u32>; // likewise; a stored byte
@group(0) @binding(6) var<storage, read_write> out: array<vec4f>; // (pixels, outWords)
