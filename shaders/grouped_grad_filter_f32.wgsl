// use lib/grid.wgsl
// use lib/pixels.wgsl
//
// out[part, o, tap, c] = Σ_p dY[p, o] · x[window(p, tap), c], p of one slice of the pixels     docs/quantization.md (91)
//
// The form for any groups and windows: channels are loaded one by one, since a group's may begin within a word. An
// invocation owns four input channels of one tap and one output channel. sum_parts_f32.wgsl adds the slices up in
// their order.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32,        // words of the filter · slices
  size: u32,         // words of the filter: output channels · taps · groupWords
  slice: u32,        // pixels
  pixels: u32,       // batch · outHeight · outWidth
  outHeight: u32,
  outWidth: u32,
  outs: u32,         // output channels, with the padding behind them
  inHeight: u32,
  inWidth: u32,
  inWords: u32,      // input channels, with the padding behind them
  perGroup: u32,     // input channels of one group
  groupWords: u32,   // perGroup / 4
  outsPerGroup: u32, // output channels of one group
  taps: u32,
  kernelWidth: u32,
  strideHeight: u32,
  strideWidth: u32,
  dilationHeight: u32,
  dilationWidth: u32,
  padTop: u32,
  padLeft: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;           // (batch, inHeight, inWidth, inWords)
@group(0) @binding(2) var<storage, read> gradient: array<f32>;    // dY (pixels, outs)
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>; // (slices, output channels, taps, groupWords)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let part = index / params.size;
  let place = index - part * params.size;
  let row = place / params.groupWords;
  let c = (place - row * params.groupWords) * 4u;
  let o = row / params.taps;
  let tap = row - o * params.taps;
  let ky = tap / params.kernelWidth;
  let dy = i32(ky * params.dilationHeight);
  let dx = i32((tap - ky * params.kernelWidth) * params.dilationWidth);
  let channel = (o / params.outsPerGroup) * params.perGroup + c;
  let delta = (dy * i32(params.inWidth) + dx) * i32(params.inWords) + i32(channel);
  let lanes = min(4u, params.perGroup - c);
  let start = part * params.slice;
  let end = min(start + params.slice, params.pixels);
  let one = pixelAt(1u);
  var pixel = pixelAt(start);
  var sum = vec4f();
  for (var p = start; p < end; p++) {
    let corner = cornerOf(pixel);
    pixel = pixelAfter(pixel, one);
    if (isInside(corner, dy, dx)) {
      let y = gradient[p * params.outs + o];
      let at = u32(corner.at + delta);
      for (var lane = 0u; lane < lanes; lane++) { sum[lane] += y * x[at + lane]; }
    }
  }
  out[index] = sum;
}
