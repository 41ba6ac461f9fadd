// use lib/grid.wgsl
// use lib/window.wgsl
// use lib/dot4.wgsl
// use lib/requantize.wgsl
// use lib/store_real.wgsl
// use lib/conv_quad_i8.wgsl
// tile QUARTER = 4
// tile WORDS = 1
// tile FOUR = 4
// tile STEPS = 1
//
// out = fl(fl(f32(Σ (x − zeroPoint) · filter) · fl(scale · factor)) + bias): conv_dynamic_i8.wgsl by quads,
// lib/conv_quad_i8.wgsl.

enable subgroups;

struct Params {
  pixels: u32,      // batch · outHeight · outWidth: rows
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
  padWord: u32,     // what lies outside of x; never met by a product of rows
  low: f32,
  high: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>; // (pixels, inWords)
@group(0) @binding(2) var<storage, read> filters: array<u32>; // (outWords, taps, groupWords, output lane)
@group(0) @binding(3) var<storage, read> sums: array<vec4i>; // (outWords): Σ filter
@group(0) @binding(4) var<storage, read> factors: array<vec4f>; // (2, outWords): scales of the filter, then the bias
@group(0) @binding(5) var<storage, read> scale: array<vec4f>; // (1), or (pixels): of x, in the first lane
@group(0) @binding(6) var<storage, read> zeroPoint: array<u32>; // likewise; a stored byte
@group(0) @binding(7) var<storage, read_write> out: array<vec4f>; // (pixels, outWords)

fn addResiduals(pixel: u32, word: u32, live: bool) {} // there are none
