// use lib/grid.wgsl
// use lib/dot4.wgsl
// use lib/requantize.wgsl
// use lib/real_sum.wgsl
// use lib/bounds_i8.wgsl
//
// out[p, c] = requantize(bias[c] + Σ_taps x[window(p, tap), c] · filter[tap, c])
//                                                              docs/quantization.md (25), (29)
//
// NHWC, four int8 channels a word; one filter a channel, so lanes multiply lane by lane. x's zero
// point is folded into bias, hence taps outside the picture read its bytes. An invocation owns one
// output word.

override WORKGROUP: u32 = 64;
override WIDE: bool = false; // |acc| may pass 2²⁴: docs/quantization.md (33)
override OFFSETS: bool = false; // a channel's weights are the filter's and an offset, which lies behind the biases

struct Params {
  count: u32,       // words of out: batch · outHeight · outWidth · words
  outHeight: u32,
  outWidth: u32,
  words: u32,       // channels / 4
  inHeight: u32,
  inWidth: u32,
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
@group(0) @binding(1) var<storage, read> x: array<u32>;            // (batch, inHeight, inWidth, words)
@group(0) @binding(2) var<storage, read> filters: array<u32>;      // (words, taps)
@group(0) @binding(3) var<storage, read> bias: array<vec4i>;       // (words), then with OFFSETS theirs
@group(0) @binding(4) var<storage, read> multiplier: array<vec4f>; // (words), then what real_sum.wgsl and bounds_i8.wgsl say
@group(0) @binding(5) var<storage, read_write> out: array<u32>;    // (batch, outHeight, outWidth, words)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let pixel = index / params.words;
  let word = index - pixel * params.words;
  let row = pixel / params.outWidth;
  let column = pixel - row * params.outWidth;
  let image = row / params.outHeight;
  let top = i32((row - image * params.outHeight) * params.strideHeight) - i32(params.padTop);
  let left = i32(column * params.strideWidth) - i32(params.padLeft);
  let base = image * params.inHeight * params.inWidth;
  var acc = bias[word];
  var offset = vec4i();
  if (OFFSETS) { offset = bias[params.words + word]; }
  var tap = word * params.kernelHeight * params.kernelWidth;
  let bottom = top + i32((params.kernelHeight - 1u) * params.dilationHeight);
  let right = left + i32((params.kernelWidth - 1u) * params.dilationWidth);
  if (top >= 0 && left >= 0 && bottom < i32(params.inHeight) && right < i32(params.inWidth)) {
    // The whole window is inside: no tap needs a look at the border.
    var line = (base + u32(top) * params.inWidth + u32(left)) * params.words + word;
    for (var ky = 0u; ky < params.kernelHeight; ky++) {
      var at = line;
      for (var kx = 0u; kx < params.kernelWidth; kx++) {
        acc += lanes(x[at]) * (lanes(filters[tap]) + offset);
        at += params.dilationWidth * params.words;
        tap++;
      }
      line += params.dilationHeight * params.inWidth * params.words;
    }
  } else {
    for (var ky = 0u; ky < params.kernelHeight; ky++) {
      let y = top + i32(ky * params.dilationHeight);
      for (var kx = 0u; kx < params.kernelWidth; kx++) {
        let xx = left + i32(kx * params.dilationWidth);
        var taken = params.padWord;
        if (y >= 0 && xx >= 0 && y < i32(params.inHeight) && xx < i32(params.inWidth)) {
          taken = x[(base + u32(y) * params.inWidth + u32(xx)) * params.words + word];
        }
        acc += lanes(taken) * (lanes(filters[tap]) + offset);
        tap++;
      }
    }
  }
  let real = realSum(acc, floatBias(word, params.words));
  let q = requantize(real, multiplier[word], roundingOf(word, params.words));
  out[index] = pack(q);
}
