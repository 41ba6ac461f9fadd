// use lib/window.wgsl
// use lib/taps.wgsl
// use lib/bounds_f32.wgsl
// use lib/bounded.wgsl
// use lib/store_f32.wgsl
// tile LANES = 64    invocations that share a sum; a power of two
// tile COLUMNS = 1   output words of a workgroup
// tile PIXELS = 4    pixels of a workgroup
//
// out[p, o] = clamp(bias[o] + Σ_taps Σᵢ x[window(p, tap), i] · filter[o, tap, i] [+ residual[p, o]], low, high)
//
// conv_f32.wgsl's sum for a few pixels, cut as in gemv_i8.wgsl: LANES invocations split the sum of one
// output word and join their parts in workgroup memory, always in the same order.

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
  last: u32,        // output channels, padding excluded
  tilesWide: u32,   // outWords / COLUMNS
  low: f32,
  high: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (batch, inHeight, inWidth, inWords)
@group(0) @binding(2) var<storage, read> filters: array<mat4x4f>; // (outWords, taps, groupWords): column = output lane
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;      // (outWords), then what bounds_f32.wgsl says
@group(0) @binding(4) var<storage, read> residual: array<vec4f>;  // as out
@group(0) @binding(5) var<storage, read_write> out: array<vec4f>; // (pixels, outWords)

const THREADS = ${LANES * COLUMNS}u;

var<workgroup> parts: array<vec4f, ${PIXELS * LANES * COLUMNS}>; // (PIXELS, COLUMNS, LANES)

fn wordAt(c: Corner, t: Tap) -> vec4f {
  return select(vec4f(), x[u32(c.at + wordsTo(t))], isInside(c, t.dy, t.dx));
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
  var sum${p} = vec4f();
  $end
  var tap = tapAt(lane);
  let step = tapAt(${LANES}u);
  for (var at = lane; at < patches; at += ${LANES}u) {
    let f = filters[cursor + at];
    $for p in PIXELS
    sum${p} += wordAt(corner${p}, tap) * f;
    $end
    tap = advance(tap, step);
  }
  $for p in PIXELS
  parts[${p}u * THREADS + index] = sum${p};
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
  let mine = pixel + lane;
  if (lane < ${PIXELS}u && mine < params.pixels && column < params.outWords) {
    store(mine, word, bias[word] + parts[lane * THREADS + index - lane]);
  }
}
