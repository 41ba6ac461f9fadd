// use lib/grid.wgsl
// use lib/window.wgsl
// use lib/dot4.wgsl
//
// out[p, g] = Σ_taps Σᵢ∈g (x[window(p, tap), i] − zeroPoint)                           docs/quantization.md (24)
//
// What a convolution multiplies by the zero points of its weights: the sum of each window, of every group apart.
// Padding is real 0 and adds nothing. NHWC, four int8 channels a word; lanes past a group's last channel do not count.
// An invocation owns one sum.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32,      // pixels · groups
  groups: u32,
  pixels: u32,     // batch · outHeight · outWidth
  outHeight: u32,
  outWidth: u32,
  inHeight: u32,
  inWidth: u32,
  inWords: u32,    // input channels / 4
  groupWords: u32, // input words one group reads
  last: u32,       // channels in the last word of a group
  kernelHeight: u32,
  kernelWidth: u32,
  strideHeight: u32,
  strideWidth: u32,
  dilationHeight: u32,
  dilationWidth: u32,
  padTop: u32,
  padLeft: u32,
  zeroPoint: i32,  // as stored
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;          // (batch, inHeight, inWidth, inWords)
@group(0) @binding(2) var<storage, read_write> out: array<i32>;  // (pixels, groups)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let pixel = index / params.groups;
  let group = index - pixel * params.groups;
  let c = corner(pixel);
  let words = params.groupWords;
  let zero = vec4i(params.zeroPoint);
  let isReal = vec4u(0u, 1u, 2u, 3u) < vec4u(params.last);
  var acc = vec4i();
  for (var ky = 0u; ky < params.kernelHeight; ky++) {
    let dy = i32(ky * params.dilationHeight);
    for (var kx = 0u; kx < params.kernelWidth; kx++) {
      let dx = i32(kx * params.dilationWidth);
      if (!isInside(c, dy, dx)) { continue; }
      let at = u32(c.at + (dy * i32(params.inWidth) + dx) * i32(params.inWords)) + group * words;
      for (var i = 0u; i < words - 1u; i++) { acc += lanes(x[at + i]) - zero; }
      acc += select(vec4i(), lanes(x[at + words - 1u]) - zero, isReal);
    }
  }
  out[index] = acc.x + acc.y + acc.z + acc.w;
}
