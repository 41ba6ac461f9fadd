// use lib/grid.wgsl
// use lib/window.wgsl
// use lib/dot4.wgsl
// use lib/requantize.wgsl
// use lib/real_sum.wgsl
// use lib/bounds_i8.wgsl
// use lib/residual.wgsl
// use lib/store_i8.wgsl
// use lib/conv_quad_i8.wgsl
// tile QUARTER = 4
// tile WORDS = 1
// tile FOUR = 4
// tile STEPS = 1
//
// out = requantize(bias + Σ x · filter) [⊕ residual]: conv_i8.wgsl by quads, lib/conv_quad_i8.wgsl.

enable subgroups;

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
  hasResidual: u32,   // 1: the quantized addition follows; 0: residual is not read
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;            // (batch, inHeight, inWidth, inWords)
@group(0) @binding(2) var<storage, read> filters: array<u32>; // (outWords, taps, groupWords, output lane)
@group(0) @binding(3) var<storage, read> bias: array<vec4i>;       // (outWords)
@group(0) @binding(4) var<storage, read> multiplier: array<vec4f>; // (outWords), then what real_sum.wgsl and bounds_i8.wgsl say
@group(0) @binding(5) var<storage, read> residual: array<u32>;     // as out
@group(0) @binding(6) var<storage, read_write> out: array<u32>;    // (pixels, outWords)

fn withResidual(q: vec4i, at: u32) -> vec4i {
  return q; // it is added below
}

// As lib/conv_quad_f32.wgsl: to what is stored, in a loop that takes no steps where there is none.
fn addResiduals(pixel: u32, word: u32, live: bool) {
  for (var n = 0u; n < params.hasResidual * ${WORDS}u; n++) {
    let end = select(pixel, min(pixel + ${QUARTER * 4}u, params.pixels), live && word + n < params.outWords);
    for (var p = pixel; p < end; p++) {
      let at = p * params.outWords + word + n;
      out[at] = pack(addResidual(lanes(out[at]), lanes(residual[at])));
    }
  }
}
