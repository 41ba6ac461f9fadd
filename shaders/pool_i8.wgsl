// use lib/grid.wgsl
// use lib/dot4.wgsl
// use lib/requantize.wgsl
//
// out[p, c] = max or mean of x over the window of pixel p, requantized      docs/quantization.md (36)
//
// The mean is Σ (x − zero) times a multiplier per number of taps, from the host (no division here);
// pads add 0. max keeps x's parameters: its multiplier is 1. An invocation owns one output word.

override WORKGROUP: u32 = 64;
override MAX: bool = false;

struct Params {
  count: u32,       // words of out
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
  padBottomEnd: u32, // inHeight + bottom pad
  padRightEnd: u32,
  countPad: u32,
  inZero: i32,
  zeroPoint: i32,   // of out
  low: i32,
  high: i32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;           // (batch, inHeight, inWidth, words)
@group(0) @binding(2) var<storage, read> multiplier: array<f32>;  // (taps + 1): by number of counted taps
@group(0) @binding(3) var<storage, read_write> out: array<u32>;   // (batch, outHeight, outWidth, words)

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
  var acc = vec4i(select(0, -512, MAX));
  var seen = 0u;
  var padded = 0u;
  for (var ky = 0u; ky < params.kernelHeight; ky++) {
    let y = top + i32(ky * params.dilationHeight);
    for (var kx = 0u; kx < params.kernelWidth; kx++) {
      let xx = left + i32(kx * params.dilationWidth);
      if (y >= 0 && xx >= 0 && y < i32(params.inHeight) && xx < i32(params.inWidth)) {
        let v = lanes(x[(base + u32(y) * params.inWidth + u32(xx)) * params.words + word]) - params.inZero;
        if (MAX) { acc = max(acc, v); } else { acc += v; }
        seen += 1u;
      } else if (y < i32(params.padBottomEnd) && xx < i32(params.padRightEnd)) {
        padded += 1u;
      }
    }
  }
  let count = select(seen + padded * params.countPad, 1u, MAX);
  let m = vec4f(multiplier[count]);
  out[index] = pack(requantize(vec4f(acc), m, rounding(params.zeroPoint, params.low, params.high)));
}
