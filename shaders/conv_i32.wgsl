// use lib/grid.wgsl
// use lib/window.wgsl
// use lib/dot4.wgsl
//
// out[p, o] = Σ_taps Σᵢ x[window(p, tap), i] · filter[o, tap, i] − zeroPoint · sums[o]
//                                                                           docs/quantization.md (24), (25)
//
// An integer convolution that keeps its accumulator, exact modulo 2³². x's zero point may be computed at run
// time: taps outside the picture read it, so Σ filter is the whole filter's. Weights less their zero point
// are int8, or, SPLIT, 2a + b with a and b int8: filters hold all of a, then all of b. NHWC, four int8
// channels a word. An invocation owns one word of out: a pixel of four output channels.

override WORKGROUP: u32 = 64;
override SPLIT: bool = false;

struct Params {
  pixels: u32,     // batch · outHeight · outWidth
  outHeight: u32,
  outWidth: u32,
  outWords: u32,   // output channels / 4
  inHeight: u32,
  inWidth: u32,
  inWords: u32,    // input channels / 4
  groupWords: u32, // input words one group reads
  groupOuts: u32,  // output words of one group
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
@group(0) @binding(1) var<storage, read> x: array<u32>;           // (batch, inHeight, inWidth, inWords)
@group(0) @binding(2) var<storage, read> filters: array<vec4u>;   // ([2,] outWords, taps, groupWords): component = output lane
@group(0) @binding(3) var<storage, read> sums: array<vec4i>;      // (outWords): Σ filter
@group(0) @binding(4) var<storage, read> zeroPoint: array<u32>;   // (1) stored byte
@group(0) @binding(5) var<storage, read_write> out: array<vec4i>; // (pixels, outWords)

const CHUNK = 256u; // words: 1,024 products of at most 2¹⁴ stay within 2²⁴, where float sums are exact

// Σ of one plane of filters, of which `first` is the output word's first patch.
fn sumFrom(first: u32, c: Corner, channel: u32, padWord: u32) -> vec4i {
  var acc = vec4i();
  var part = Sums();
  var step = 0u;
  for (var ky = 0u; ky < params.kernelHeight; ky++) {
    let dy = i32(ky * params.dilationHeight);
    for (var kx = 0u; kx < params.kernelWidth; kx++) {
      let dx = i32(kx * params.dilationWidth);
      let at = c.at + (dy * i32(params.inWidth) + dx) * i32(params.inWords) + i32(channel);
      let inside = isInside(c, dy, dx);
      for (var i = 0u; i < params.groupWords; i++) {
        let word = select(padWord, x[u32(at) + i], inside);
        part = addDots(part, patchOf(filters[first + step]), take(word));
        step++;
        if (step % CHUNK == 0u) {
          acc += total(part);
          part = Sums();
        }
      }
    }
  }
  return acc + total(part);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.pixels * params.outWords) { return; }
  let word = index % params.outWords;
  let c = corner(index / params.outWords);
  let channel = (word / params.groupOuts) * params.groupWords;
  let byte = zeroPoint[0] & 255u;
  let padWord = byte * 0x01010101u;
  let patches = params.kernelHeight * params.kernelWidth * params.groupWords;
  var acc = sumFrom(word * patches, c, channel, padWord);
  if (SPLIT) { acc = 2 * acc + sumFrom((params.outWords + word) * patches, c, channel, padWord); }
  out[index] = acc - lanes(padWord).x * sums[word];
}
