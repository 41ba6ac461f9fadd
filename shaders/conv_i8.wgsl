// use lib/grid.wgsl
// use lib/window.wgsl
// use lib/dot4.wgsl
// use lib/requantize.wgsl
//
// out[p, o] = requantize(bias[o] + Σ_taps Σᵢ x[window(p, tap), i] · filter[o, tap, i])
//                                                              docs/quantization.md (25), (29)
//
// NHWC, four int8 channels a word. The filter is symmetric and x's zero point is folded into bias, so
// the loop is dots alone; taps outside the picture read the zero point's own bytes, since real 0 is
// that byte. An invocation owns four consecutive pixels of one output word, so each 4 × 4 block of
// the filter is loaded once for sixteen dots. A group's channels are whole words.

override WORKGROUP: u32 = 64;
override POINTWISE: bool = false; // 1 × 1, stride 1, no pads: out pixel p reads in pixel p
override WIDE: bool = false; // |acc| may pass 2²⁴: docs/quantization.md (33)

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
  zeroPoint: i32,   // of out
  low: i32,         // least and greatest value of out, after the fused activation
  high: i32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;            // (batch, inHeight, inWidth, inWords)
@group(0) @binding(2) var<storage, read> filters: array<vec4u>;    // (outWords, taps, groupWords): component = output lane
@group(0) @binding(3) var<storage, read> bias: array<vec4i>;       // (outWords)
@group(0) @binding(4) var<storage, read> multiplier: array<vec4f>; // (outWords)
@group(0) @binding(5) var<storage, read_write> out: array<u32>;    // (pixels, outWords)

fn load(offset: i32, word: u32) -> u32 {
  return select(params.padWord, x[u32(max(offset, 0)) + word], offset >= 0);
}

fn finish(acc: vec4i, m: vec4f) -> u32 {
  var real = vec4f(acc);
  if (WIDE) { real = wideToFloat(acc); }
  return pack(requantize(real, m, params.zeroPoint, params.low, params.high));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  let tile = index / params.outWords;
  let word = index - tile * params.outWords;
  let pixel = tile * 4u;
  if (pixel >= params.pixels) { return; }
  let first = (word / params.groupOuts) * params.groupWords;
  var acc0 = bias[word];
  var acc1 = acc0;
  var acc2 = acc0;
  var acc3 = acc0;
  var cursor = word * params.kernelHeight * params.kernelWidth * params.groupWords;
  if (POINTWISE) {
    let end = params.pixels - 1u;
    let p0 = pixel * params.inWords + first;
    let p1 = min(pixel + 1u, end) * params.inWords + first;
    let p2 = min(pixel + 2u, end) * params.inWords + first;
    let p3 = min(pixel + 3u, end) * params.inWords + first;
    for (var i = 0u; i < params.groupWords; i++) {
      let f = blockOf(filters[cursor + i]);
      acc0 += dots(f, x[p0 + i]);
      acc1 += dots(f, x[p1 + i]);
      acc2 += dots(f, x[p2 + i]);
      acc3 += dots(f, x[p3 + i]);
    }
  } else {
    let c0 = corner(pixel);
    let c1 = corner(pixel + 1u);
    let c2 = corner(pixel + 2u);
    let c3 = corner(pixel + 3u);
    for (var ky = 0u; ky < params.kernelHeight; ky++) {
      let dy = i32(ky * params.dilationHeight);
      for (var kx = 0u; kx < params.kernelWidth; kx++) {
        let dx = i32(kx * params.dilationWidth);
        let o0 = tapOffset(c0, dy, dx);
        let o1 = tapOffset(c1, dy, dx);
        let o2 = tapOffset(c2, dy, dx);
        let o3 = tapOffset(c3, dy, dx);
        for (var i = 0u; i < params.groupWords; i++) {
          let f = blockOf(filters[cursor + i]);
          acc0 += dots(f, load(o0, first + i));
          acc1 += dots(f, load(o1, first + i));
          acc2 += dots(f, load(o2, first + i));
          acc3 += dots(f, load(o3, first + i));
        }
        cursor += params.groupWords;
      }
    }
  }
  let m = multiplier[word];
  let rowStep = params.outWords;
  var at = pixel * rowStep + word;
  out[at] = finish(acc0, m);
  at += rowStep;
  if (pixel + 1u < params.pixels) { out[at] = finish(acc1, m); }
  at += rowStep;
  if (pixel + 2u < params.pixels) { out[at] = finish(acc2, m); }
  at += rowStep;
  if (pixel + 3u < params.pixels) { out[at] = finish(acc3, m); }
}
