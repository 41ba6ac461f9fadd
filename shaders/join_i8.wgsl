// use lib/grid.wgsl
// use lib/dot4.wgsl
// use lib/requantize.wgsl
// use lib/real_sum.wgsl
// use lib/bounds_i8.wgsl
// use lib/residual.wgsl
// use lib/residual_now.wgsl
// use lib/store_i8.wgsl
// use lib/join.wgsl
//
// out[p, o] = requantize(bias[o] + Σ_part parts[part, p, o]) [⊕ residual[p, o]]     docs/quantization.md (29), (37)
//
// What conv_tiled_parts_i8.wgsl leaves, as conv_tiled_i8.wgsl would.

struct Params {
  count: u32,       // words of out
  parts: u32,
  outWords: u32,    // output channels / 4
  groupOuts: u32,   // output words of one group
  zeroPoint: i32,   // of the convolution's own output
  low: i32,         // its least and greatest value, after the fused activation
  high: i32,
  sumMultiplier: i32, // residual.wgsl
  residualMultiplier: i32,
  residualZero: i32,
  shift: u32,
  outZero: i32,
  outLow: i32,
  outHigh: i32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> parts: array<vec4i>;      // (parts, count)
@group(0) @binding(2) var<storage, read> bias: array<vec4i>;       // (outWords)
@group(0) @binding(3) var<storage, read> multiplier: array<vec4f>; // (outWords), then what real_sum.wgsl and bounds_i8.wgsl say
@group(0) @binding(4) var<storage, read> residual: array<u32>;     // as out
@group(0) @binding(5) var<storage, read_write> out: array<u32>;    // (pixels, outWords)
