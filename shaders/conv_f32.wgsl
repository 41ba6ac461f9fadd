// use lib/grid.wgsl
// use lib/window.wgsl
//
// out[p, o] = clamp(bias[o] + Σ_taps Σᵢ x[window(p, tap), i] · filter[o, tap, i], low, high)
//
// NHWC, four channels a vec4. An invocation owns four consecutive pixels of one output word, so each
// 4 × 4 block of the filter is loaded once for four products. A group's channels are whole words
// (plan/ widens groups that are not). Taps outside the picture add 0.

override WORKGROUP: u32 = 64;
override POINTWISE: bool = false; // 1 × 1, stride 1, no pads: out pixel p reads in pixel p

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
  low: f32,
  high: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (batch, inHeight, inWidth, inWords)
@group(0) @binding(2) var<storage, read> filters: array<mat4x4f>; // (outWords, taps, groupWords): column = input lane
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;      // (outWords)
@group(0) @binding(4) var<storage, read_write> out: array<vec4f>; // (pixels, outWords)

fn load(offset: i32, word: u32) -> vec4f {
  return select(vec4f(0), x[u32(max(offset, 0)) + word], offset >= 0);
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
      let f = filters[cursor + i];
      acc0 += f * x[p0 + i];
      acc1 += f * x[p1 + i];
      acc2 += f * x[p2 + i];
      acc3 += f * x[p3 + i];
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
          let f = filters[cursor + i];
          acc0 += f * load(o0, first + i);
          acc1 += f * load(o1, first + i);
          acc2 += f * load(o2, first + i);
          acc3 += f * load(o3, first + i);
        }
        cursor += params.groupWords;
      }
    }
  }
  let low = vec4f(params.low);
  let high = vec4f(params.high);
  let rowStep = params.outWords;
  var at = pixel * rowStep + word;
  out[at] = clamp(acc0, low, high);
  at += rowStep;
  if (pixel + 1u < params.pixels) { out[at] = clamp(acc1, low, high); }
  at += rowStep;
  if (pixel + 2u < params.pixels) { out[at] = clamp(acc2, low, high); }
  at += rowStep;
  if (pixel + 3u < params.pixels) { out[at] = clamp(acc3, low, high); }
}
