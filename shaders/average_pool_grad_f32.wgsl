// use lib/grid.wgsl
// use lib/covering.wgsl
//
// out[p] = Σ gradient[w] / n[w] over the windows w that p is in, n the elements that w is the mean of
//
// NHWC, four channels a vec4. An invocation owns one output word and gathers, in the order of the taps.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32,     // words of out
  words: u32,     // channels / 4
  inHeight: u32,  // of the pool's input: out
  inWidth: u32,
  outHeight: u32, // of its output: gradient
  outWidth: u32,
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
  countPad: u32,     // 1: pads count, but for what a ceil-mode window covers past them
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;  // (batch, outHeight, outWidth, words)
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>; // (batch, inHeight, inWidth, words)

/** Taps of a window from `first` on, the pad included, that lie in from … end − 1. */
fn tapsWithin(first: u32, taps: u32, dilation: u32, begin: u32, end: u32) -> u32 {
  var count = 0u;
  for (var t = 0u; t < taps; t++) {
    let p = first + t * dilation;
    if (p >= begin && p < end) { count += 1u; }
  }
  return count;
}

/** Elements along one axis that window `w` is the mean of. */
fn counted(w: u32, stride: u32, taps: u32, dilation: u32, pad: u32, size: u32, padEnd: u32) -> u32 {
  if (params.countPad == 1u) { return tapsWithin(w * stride, taps, dilation, 0u, padEnd + pad); }
  return tapsWithin(w * stride, taps, dilation, pad, size + pad);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let at = placeOf(index);
  let base = at.image * params.outHeight;
  var sum = vec4f(0);
  for (var ky = 0u; ky < params.kernelHeight; ky++) {
    let wy = windowOf(at.row, params.padTop, ky * params.dilationHeight, params.strideHeight, params.outHeight);
    if (wy < 0) { continue; }
    let rows = counted(u32(wy), params.strideHeight, params.kernelHeight, params.dilationHeight,
      params.padTop, params.inHeight, params.padBottomEnd);
    for (var kx = 0u; kx < params.kernelWidth; kx++) {
      let wx = windowOf(at.column, params.padLeft, kx * params.dilationWidth, params.strideWidth, params.outWidth);
      if (wx < 0) { continue; }
      let columns = counted(u32(wx), params.strideWidth, params.kernelWidth, params.dilationWidth,
        params.padLeft, params.inWidth, params.padRightEnd);
      sum += gradient[((base + u32(wy)) * params.outWidth + u32(wx)) * params.words + at.word] / f32(rows * columns);
    }
  }
  out[index] = sum;
}
