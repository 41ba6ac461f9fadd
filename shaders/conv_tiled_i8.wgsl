// use lib/window.wgsl
// use lib/taps.wgsl
// use lib/quads_i8.wgsl
// use lib/dot4.wgsl
// use lib/requantize.wgsl
// use lib/real_sum.wgsl
// use lib/residual.wgsl
// use lib/store_i8.wgsl
// tile DOWN = 8      invocations of a workgroup, along pixels
// tile ACROSS = 8    along output words
// tile ROWS = 4      pixels of an invocation
// tile WORDS = 2     output words of an invocation
// tile QUADS = 4     input words of a chunk / 4
// tile X_LOADS = 2   ROWS · QUADS / ACROSS
// tile F_LOADS = 4   WORDS · QUADS · 4 / DOWN
//
// out[p, o] = requantize(bias[o] + Σ_taps Σᵢ x[window(p, tap), i] · filter[o, tap, i]) [⊕ residual[p, o]]
//                                                              docs/quantization.md (25), (29), (37)
//
// conv_i8.wgsl's sum as a matrix product: pixels × output words, over taps × input words. A workgroup
// owns a tile of DOWN · ROWS pixels by ACROSS · WORDS output words and takes the sum in chunks of QUADS
// vec4 of x and four times as many patches of the filter, which it stages in workgroup memory while the
// next ones are on their way in registers. Taps outside the picture are the zero point's bytes, as
// there; past the end of the sum the filter holds 0. An invocation's pixels and words lie DOWN and
// ACROSS apart, so neighbours read and write neighbouring words.

override CHUNKED: bool = false; // Σ |x · filter| may pass 2²⁴: a total is taken each chunk

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
  zeroPoint: i32,   // of the convolution's own output
  low: i32,         // its least and greatest value, after the fused activation
  high: i32,
  sumMultiplier: i32, // residual.wgsl
  residualMultiplier: i32,
  residualZero: i32,
  shift: u32,
  outZero: i32,
  outLow: i32,
  outHigh: i32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;            // (batch, inHeight, inWidth, inWords)
@group(0) @binding(2) var<storage, read> quads: array<vec4u>;      // x again, four words at a time
@group(0) @binding(3) var<storage, read> filters: array<vec4u>;    // (tilesWide, chunks, 4 · QUADS, tile's words): component = output lane
@group(0) @binding(4) var<storage, read> bias: array<vec4i>;       // (outWords)
@group(0) @binding(5) var<storage, read> multiplier: array<vec4f>; // (outWords), twice with float biases: real_sum.wgsl
@group(0) @binding(6) var<storage, read> residual: array<u32>;     // as out
@group(0) @binding(7) var<storage, read_write> out: array<u32>;    // (pixels, outWords)

const THREADS = ${DOWN * ACROSS}u;
const TILE_PIXELS = ${DOWN * ROWS}u;
const TILE_WORDS = ${ACROSS * WORDS}u;
const CHUNK = ${4 * QUADS}u; // words
const LINE = TILE_PIXELS + 8u / ${QUADS}u; // of xs: what neighbours store at once lies in different banks

var<workgroup> xs: array<vec4u, ${QUADS * DOWN * ROWS + 8}>;         // (QUADS, LINE)
var<workgroup> fs: array<vec4u, ${4 * QUADS * ACROSS * WORDS}>;      // (CHUNK, TILE_WORDS)

@compute @workgroup_size(${ACROSS}, ${DOWN})
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let tile = id.y * groups.x + id.x;
  let tileRow = tile / params.tilesWide;
  let tileColumn = tile - tileRow * params.tilesWide;
  let pixel = tileRow * TILE_PIXELS;
  if (pixel >= params.pixels) { return; }
  let group = tileColumn / params.groupTiles;
  let word = (tileColumn - group * params.groupTiles) * TILE_WORDS; // of the group

  // What this invocation stages: one quad of X_LOADS pixels, and F_LOADS patches.
  let quad = index % ${QUADS}u;
  let line = index / ${QUADS}u;
  let first = i32(group * params.groupWords);
  $for l in X_LOADS
  let line${l} = line + ${l}u * (THREADS / ${QUADS}u);
  var corner${l} = corner(pixel + line${l});
  corner${l}.at += first;
  $end
  var tap = tapAt(4u * quad);
  let step = tapAt(CHUNK);
  var cursor = tileColumn * params.chunks * (CHUNK * TILE_WORDS) + index;
  $for l in X_LOADS
  var nextX${l} = quadAt(corner${l}, tap);
  $end
  $for l in F_LOADS
  var nextF${l} = filters[cursor + ${l}u * THREADS];
  $end

  $for r in ROWS
  $for n in WORDS
  var sums${r}_${n} = Sums();
  var acc${r}_${n} = vec4i();
  $end
  $end
  for (var chunk = 0u; chunk < params.chunks; chunk++) {
    $for l in X_LOADS
    xs[quad * LINE + line${l}] = nextX${l};
    $end
    $for l in F_LOADS
    fs[index + ${l}u * THREADS] = nextF${l};
    $end
    workgroupBarrier(); // publishes xs and fs of this chunk
    tap = advance(tap, step);
    cursor += CHUNK * TILE_WORDS;
    $for l in X_LOADS
    nextX${l} = quadAt(corner${l}, tap);
    $end
    $for l in F_LOADS
    nextF${l} = filters[cursor + ${l}u * THREADS];
    $end
    for (var k = 0u; k < CHUNK; k++) {
      $for n in WORDS
      let f${n} = patchOf(fs[k * TILE_WORDS + local.x + ${n * ACROSS}u]);
      $end
      $for r in ROWS
      let x${r} = take(xs[(k >> 2u) * LINE + local.y + ${r * DOWN}u][k & 3u]);
      $for n in WORDS
      sums${r}_${n} = addDots(sums${r}_${n}, f${n}, x${r});
      $end
      $end
    }
    if (CHUNKED) {
      $for r in ROWS
      $for n in WORDS
      acc${r}_${n} += total(sums${r}_${n});
      sums${r}_${n} = Sums();
      $end
      $end
    }
    workgroupBarrier(); // publishes that xs and fs are read and may be overwritten
  }

  let r = rounding(params.zeroPoint, params.low, params.high);
  $for n in WORDS
  let column${n} = word + local.x + ${n * ACROSS}u;
  if (column${n} < params.groupOuts) {
    let word${n} = group * params.groupOuts + column${n};
    let bias${n} = bias[word${n}];
    let b${n} = floatBias(word${n}, params.outWords);
    let m${n} = multiplier[word${n}];
    $for r in ROWS
    let pixel${n}_${r} = pixel + local.y + ${r * DOWN}u;
    if (pixel${n}_${r} < params.pixels) {
      store(pixel${n}_${r} * params.outWords + word${n}, bias${n} + acc${r}_${n} + total(sums${r}_${n}), b${n}, m${n}, r);
    }
    $end
  }
  $end
}
