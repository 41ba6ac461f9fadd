// use lib/grid.wgsl
// use lib/covering.wgsl
//
// out[p] = Σ gradient[w] over the windows w whose greatest element p is: the first of equal ones, row by row
//
// NHWC, four channels a vec4. An invocation owns one word of the input and looks into the windows that it is in:
// it is their greatest where x = y and no tap before it is y too. Nothing is scattered, so there are no atomics.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32,     // words of out
  words: u32,     // channels / 4
  inHeight: u32,  // of the pool's input: x and out
  inWidth: u32,
  outHeight: u32, // of its output: y and gradient
  outWidth: u32,
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
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (batch, inHeight, inWidth, words)
@group(0) @binding(2) var<storage, read> y: array<vec4f>;         // (batch, outHeight, outWidth, words)
@group(0) @binding(3) var<storage, read> gradient: array<vec4f>;  // (batch, outHeight, outWidth, words)
@group(0) @binding(4) var<storage, read_write> out: array<vec4f>; // (batch, inHeight, inWidth, words)

/** Lanes where a tap of window (wy, wx) before tap `taps`, counted row by row, is `most`. */
fn isEarlier(at: Place, wy: u32, wx: u32, taps: u32, most: vec4f) -> vec4<bool> {
  var found = vec4<bool>(false);
  for (var tap = 0u; tap < taps; tap++) {
    let ky = tap / params.kernelWidth;
    let kx = tap - ky * params.kernelWidth;
    let row = i32(wy * params.strideHeight + ky * params.dilationHeight) - i32(params.padTop);
    let column = i32(wx * params.strideWidth + kx * params.dilationWidth) - i32(params.padLeft);
    if (row < 0 || column < 0 || row >= i32(params.inHeight) || column >= i32(params.inWidth)) { continue; }
    let pixel = (at.image * params.inHeight + u32(row)) * params.inWidth + u32(column);
    found = found | (x[pixel * params.words + at.word] == most);
  }
  return found;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let at = placeOf(index);
  let value = x[index];
  var sum = vec4f(0);
  for (var ky = 0u; ky < params.kernelHeight; ky++) {
    let wy = windowOf(at.row, params.padTop, ky * params.dilationHeight, params.strideHeight, params.outHeight);
    if (wy < 0) { continue; }
    for (var kx = 0u; kx < params.kernelWidth; kx++) {
      let wx = windowOf(at.column, params.padLeft, kx * params.dilationWidth, params.strideWidth, params.outWidth);
      if (wx < 0) { continue; }
      let window = ((at.image * params.outHeight + u32(wy)) * params.outWidth + u32(wx)) * params.words + at.word;
      var isMost = value == y[window];
      if (any(isMost)) {
        isMost = isMost & !isEarlier(at, u32(wy), u32(wx), ky * params.kernelWidth + kx, value);
        sum += select(vec4f(0), gradient[window], isMost);
      }
    }
  }
  out[index] = sum;
}
