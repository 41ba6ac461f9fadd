// use lib/window.wgsl
// use lib/taps.wgsl
// use lib/dot4.wgsl
// use lib/requantize.wgsl
// use lib/real_sum.wgsl
// use lib/residual.wgsl
// use lib/store_i8.wgsl
// tile LANES = 64    invocations that share a sum; a power of two
// tile COLUMNS = 1   output words of a workgroup
// tile PIXELS = 4    pixels of a workgroup
//
// out[p, o] = requantize(bias[o] + Σ_taps Σᵢ x[window(p, tap), i] · filter[o, tap, i]) [⊕ residual[p, o]]
//                                                              docs/quantization.md (25), (29), (37)
//
// conv_i8.wgsl's sum for a few pixels, where tiles would leave the device idle: LANES invocations split
// the sum over taps and input words of one output word, reading neighbouring patches, and join their
// int32 parts in workgroup memory. Integers add up to the same in any order.

override CHUNKED: bool = false; // Σ |x · filter| may pass 2²⁴: totals are taken every 256 words

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
  tilesWide: u32,   // outWords / COLUMNS
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
@group(0) @binding(2) var<storage, read> filters: array<vec4u>;    // (outWords, taps, groupWords): component = output lane
@group(0) @binding(3) var<storage, read> bias: array<vec4i>;       // (outWords)
@group(0) @binding(4) var<storage, read> multiplier: array<vec4f>; // (outWords), twice with float biases: real_sum.wgsl
@group(0) @binding(5) var<storage, read> residual: array<u32>;     // as out
@group(0) @binding(6) var<storage, read_write> out: array<u32>;    // (pixels, outWords)

const THREADS = ${LANES * COLUMNS}u;
const CHUNK = 256u; // words: 1,024 products of at most 2¹⁴ stay within 2²⁴

var<workgroup> parts: array<vec4i, ${PIXELS * LANES * COLUMNS}>; // (PIXELS, COLUMNS, LANES)

fn wordAt(c: Corner, t: Tap) -> u32 {
  return select(params.padWord, x[u32(c.at + wordsTo(t))], isInside(c, t.dy, t.dx));
}

@compute @workgroup_size(${LANES}, ${COLUMNS})
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let tile = id.y * groups.x + id.x;
  let tileRow = tile / params.tilesWide;
  let pixel = tileRow * ${PIXELS}u;
  if (pixel >= params.pixels) { return; }
  let lane = local.x;
  let column = (tile - tileRow * params.tilesWide) * ${COLUMNS}u + local.y;
  let word = min(column, params.outWords - 1u); // past the last word: the last one again, not stored
  let first = i32((word / params.groupOuts) * params.groupWords);
  let patches = params.kernelHeight * params.kernelWidth * params.groupWords; // of one output word
  let cursor = word * patches;
  $for p in PIXELS
  var corner${p} = corner(pixel + ${p}u);
  corner${p}.at += first;
  var sums${p} = Sums();
  var acc${p} = vec4i();
  $end
  var tap = tapAt(lane);
  let step = tapAt(${LANES}u);
  var at = lane;
  while (at < patches) {
    let stop = select(patches, min(patches, at + CHUNK * ${LANES}u), CHUNKED);
    for (; at < stop; at += ${LANES}u) {
      let f = patchOf(filters[cursor + at]);
      $for p in PIXELS
      sums${p} = addDots(sums${p}, f, take(wordAt(corner${p}, tap)));
      $end
      tap = advance(tap, step);
    }
    if (CHUNKED) {
      $for p in PIXELS
      acc${p} += total(sums${p});
      sums${p} = Sums();
      $end
    }
  }
  $for p in PIXELS
  parts[${p}u * THREADS + index] = acc${p} + total(sums${p});
  $end
  for (var half = ${LANES}u / 2u; half > 0u; half >>= 1u) {
    workgroupBarrier(); // publishes parts of the first 2 · half lanes
    if (lane < half) {
      $for p in PIXELS
      parts[${p}u * THREADS + index] += parts[${p}u * THREADS + index + half];
      $end
    }
  }
  workgroupBarrier(); // publishes parts of lane 0: the whole sums
  let r = rounding(params.zeroPoint, params.low, params.high);
  let mine = pixel + lane;
  if (lane < ${PIXELS}u && mine < params.pixels && column < params.outWords) {
    let acc = parts[lane * THREADS + index - lane];
    store(mine * params.outWords + word, bias[word] + acc, floatBias(word, params.outWords), multiplier[word], r);
  }
}
