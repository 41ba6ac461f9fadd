// use lib/window.wgsl
// use lib/taps.wgsl
// use lib/quads_i8.wgsl
// use lib/dot4.wgsl
// use lib/store_parts.wgsl
// use lib/share_part.wgsl
// use lib/conv_tiled_i8.wgsl
// tile DOWN = 8      invocations of a workgroup, along pixels
// tile ACROSS = 8    along output words
// tile ROWS = 4      pixels of an invocation
// tile WORDS = 2     output words of an invocation
// tile QUADS = 4     input words of a chunk / 4
// tile X_LOADS = 2   ROWS · QUADS / ACROSS
// tile F_LOADS = 4   WORDS · QUADS · 4 / DOWN
//
// out[part, p, o] = Σ x[window(p, tap), i] · filter[o, tap, i] over the chunks of the part
//
// lib/conv_tiled_i8.wgsl for sums that few tiles would compute: several workgroups share a tile's sum, and
// join_*.wgsl adds up what they leave. Integers add up to the same in any order.

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
  chunks: u32,      // of the sum
  groupTiles: u32,  // tiles along the output words of one group
  tilesWide: u32,   // of all groups
  padWord: u32,     // x's zero point, four times
  tiles: u32,       // of one part
  parts: u32,
  share: u32,       // chunks of a part
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;         // (batch, inHeight, inWidth, inWords)
@group(0) @binding(2) var<storage, read> quads: array<vec4u>;   // x again, four words at a time
@group(0) @binding(3) var<storage, read> filters: array<vec4u>; // (tilesWide, chunks, 4 · QUADS, tile's words): component = output lane
@group(0) @binding(4) var<storage, read_write> out: array<vec4i>; // (parts, pixels, outWords)
