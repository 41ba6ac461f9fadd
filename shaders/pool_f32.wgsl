// use lib/grid.wgsl
//
// out[p, c] = max or mean of x over the window of pixel p
//
// NHWC, four channels a vec4. Pads count in the mean only with countPad, and what a ceil-mode window
// covers past the pads never does. NaN is beyond every number. An invocation owns one output word.

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
  last: u32,         // channels, padding excluded
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (batch, inHeight, inWidth, words)
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>; // (batch, outHeight, outWidth, words)

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
  var acc = vec4f(0);
  var size = vec4u(0); // greatest bits without sign: past those of ∞ one of them was NaN
  var seen = 0u;
  var padded = 0u;
  for (var ky = 0u; ky < params.kernelHeight; ky++) {
    let y = top + i32(ky * params.dilationHeight);
    for (var kx = 0u; kx < params.kernelWidth; kx++) {
      let xx = left + i32(kx * params.dilationWidth);
      if (y >= 0 && xx >= 0 && y < i32(params.inHeight) && xx < i32(params.inWidth)) {
        let v = x[(base + u32(y) * params.inWidth + u32(xx)) * params.words + word];
        if (MAX) {
          acc = select(v, max(acc, v), seen > 0u);
          size = max(size, bitcast<vec4u>(v) & vec4u(0x7fffffffu));
        } else {
          acc += v;
        }
        seen += 1u;
      } else if (y < i32(params.padBottomEnd) && xx < i32(params.padRightEnd)) {
        padded += 1u;
      }
    }
  }
  if (!MAX) { acc = acc / f32(max(seen + padded * params.countPad, 1u)); }
  var bits = bitcast<vec4u>(acc);
  if (MAX) {
    bits = select(bits, vec4u(0x7fc00000u), size > vec4u(0x7f800000u));
    bits = select(bits, vec4u(0xff800000u), seen == 0u); // all in the padding: −∞
    bits = select(vec4u(0), bits, word * 4u + vec4u(0, 1, 2, 3) < vec4u(params.last));
  }
  out[index] = bitcast<vec4f>(bits);
}
