// use lib/grid.wgsl
// use lib/dot4.wgsl
//
// out[p, c] = Σ_taps (x[window(p, tap), c] − zeroPoint) · filter[tap, c], exact modulo 2³²
//                                                                           docs/quantization.md (24)
//
// A depthwise convolution that keeps its accumulator. x's zero point may be computed at run time; taps outside of the
// picture are real 0. Weights less their zero point are −255 … 255. NHWC, four int8 channels a word; lanes multiply lane
// by lane. An invocation owns one word of out: a pixel of four channels.

override WORKGROUP: u32 = 64;

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
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;           // (batch, inHeight, inWidth, words)
@group(0) @binding(2) var<storage, read> filters: array<vec4i>;   // (words, taps)
@group(0) @binding(3) var<storage, read> zeroPoint: array<u32>;   // (1) stored byte
@group(0) @binding(4) var<storage, read_write> out: array<vec4i>; // (batch, outHeight, outWidth, words)

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
  let zero = lanes((zeroPoint[0] & 255u) * 0x01010101u);
  var acc = vec4i();
  var tap = word * params.kernelHeight * params.kernelWidth;
  for (var ky = 0u; ky < params.kernelHeight; ky++) {
    let y = top + i32(ky * params.dilationHeight);
    for (var kx = 0u; kx < params.kernelWidth; kx++) {
      let xx = left + i32(kx * params.dilationWidth);
      if (y >= 0 && xx >= 0 && y < i32(params.inHeight) && xx < i32(params.inWidth)) {
        let at = (base + u32(y) * params.inWidth + u32(xx)) * params.words + word;
        acc += (lanes(x[at]) - zero) * filters[tap];
      }
      tap++;
    }
  }
  out[index] = acc;
}
