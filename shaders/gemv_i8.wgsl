// use lib/window.wgsl
// use lib/taps.wgsl
// use lib/dot4.wgsl
// use lib/requantize.wgsl
// use lib/real_sum.wgsl
// use lib/bounds_i8.wgsl
// use lib/residual.wgsl
// use lib/residual_now.wgsl
// use lib/store_i8.wgsl
// use lib/gemv_i8.wgsl
// tile LANES = 64    invocations that share a sum; a power of two
// tile COLUMNS = 1   output words of a workgroup
// tile PIXELS = 4    pixels of a workgroup
//
// out[p, o] = requantize(bias[o] + Σ_taps Σᵢ x[window(p, tap), i] · filter[o, tap, i]) [⊕ residual[p, o]]
//                                                              docs/quantization.md (25), (29), (37)
//
// lib/gemv_i8.wgsl with int8 results: x's zero point is folded into bias.

struct Params {
  pixels: u32,      // batch · outHeight · outWidth
  outHeight: u32,
  outWidth: u32,
  outWords: u32,    // output channels / 4
  inHeight: u32,
  inWidth: u32,
  inWords: u32,     // input channels / 4
  groupWords: u32,  // input words one group reads
  groupOuts: u32,   // output words of one group
  kernelHeight: u32,
  kernelWidth: u32,
  strideHeight: u32,
  strideWidth: u32,
  dilationHeight: u32,
  dilationWidth: u32,
  padTop: u32,
  padLeft: u32,
  tilesWide: u32,   // outWords / COLUMNS
  padWord: u32,     // x's zero point, four times
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
@group(0) @binding(1) var<storage, read> x: array<u32>;            // (batch, inHeight, inWidth, inWords)
@group(0) @binding(2) var<storage, read> filters: array<vec4u>;    // (outWords, taps, groupWords): component = output lane
@group(0) @binding(3) var<storage, read> bias: array<vec4i>;       // (outWords)
@group(0) @binding(4) var<storage, read> multiplier: array<vec4f>; // (outWords), then what real_sum.wgsl and bounds_i8.wgsl say
@group(0) @binding(5) var<storage, read> residual: array<u32>;     // as out
@group(0) @binding(6) var<storage, read_write> out: array<u32>;    // (pixels, outWords)
