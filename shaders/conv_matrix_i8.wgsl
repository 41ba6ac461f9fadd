// use lib/window.wgsl
// use lib/taps.wgsl
// use lib/quads_i8.wgsl
// use lib/dot4.wgsl
// use lib/matrix_emulated.wgsl
// use lib/requantize.wgsl
// use lib/real_sum.wgsl
// use lib/residual.wgsl
// use lib/store_i8.wgsl
// tile M = 16         of a matrix: pixels
// tile N = 16         output channels
// tile K = 32         input channels, a multiple of 16
// tile LANES = 32     invocations of a subgroup
// tile PINNED = 0     1: the pipeline asks for subgroups of LANES
// tile BYTES = 1      lib/matrix.wgsl
// tile DOWN = 2       subgroups of a workgroup, along pixels
// tile ACROSS = 2     along output channels
// tile ROWS = 2       results of a subgroup, along pixels
// tile COLUMNS = 1    along output channels
// tile STEPS = 2      matrices along the sum that are staged at once
// tile X_LOADS = 2    quads of x that an invocation stages, the last perhaps none
// tile STAGED = 1280  words of workgroup memory: of the lines of x, or of a row of results
//
// out[p, o] = requantize(bias[o] + Σ_taps Σᵢ x[window(p, tap), i] · filter[o, tap, i]) [⊕ residual[p, o]]
//                                                              docs/quantization.md (25), (29), (37)
//
// conv_tiled_i8.wgsl's sum by matrices of subgroups. A workgroup owns DOWN · ROWS · M pixels by
// ACROSS · COLUMNS · N output channels and takes the sum in chunks of STEPS · K bytes. It stages x, a line a
// pixel, while the next chunk is on its way in registers; the filter lies in the order in which
// subgroups read it, a matrix in one run. Results leave through the same memory, a row of matrices of
// every subgroup at a time, so that a store is a word of four channels as in every other kernel.

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
  groupTiles: u32,  // tiles along the output channels of one group
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
@group(0) @binding(3) var<storage, read> filters: array<i32>;      // (tilesWide, chunks, STEPS, ACROSS · COLUMNS, N, K / 4)
@group(0) @binding(4) var<storage, read> bias: array<vec4i>;       // (outWords)
@group(0) @binding(5) var<storage, read> multiplier: array<vec4f>; // (outWords), twice with float biases: real_sum.wgsl
@group(0) @binding(6) var<storage, read> residual: array<u32>;     // as out
@group(0) @binding(7) var<storage, read_write> out: array<u32>;    // (pixels, outWords)

const THREADS = ${DOWN * ACROSS * LANES}u;
const TILE_PIXELS = ${DOWN * ROWS * M}u;
const WIDTH = ${ACROSS * COLUMNS * N}u; // output channels of the tile
const CHUNK = ${STEPS * K}u / 4u;       // words
const LINE = CHUNK + 4u;                // of staged: rows of a matrix begin in different banks
const QUADS = CHUNK / 4u;
const RIGHT = ${N * K}u / 4u;           // words of a filter matrix

var<workgroup> staged: array<i32, ${STAGED}>; // (TILE_PIXELS, LINE), or (DOWN · M, WIDTH) of results

@compute @workgroup_size(${DOWN * ACROSS * LANES})
$for p in PINNED
@subgroup_size(${LANES})
$end
fn main(
  own: Subgroup,
  @builtin(local_invocation_index) index: u32,
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let tile = id.y * groups.x + id.x;
  let tileRow = tile / params.tilesWide;
  let tileColumn = tile - tileRow * params.tilesWide;
  let pixel = tileRow * TILE_PIXELS;
  if (pixel >= params.pixels) { return; }
  let group = tileColumn / params.groupTiles;
  let word = (tileColumn - group * params.groupTiles) * (WIDTH / 4u); // of the group

  // What this invocation stages: one quad of X_LOADS pixels.
  let quad = index % QUADS;
  let line = index / QUADS;
  let first = i32(group * params.groupWords);
  $for l in X_LOADS
  let line${l} = line + ${l}u * (THREADS / QUADS);
  var corner${l} = corner(pixel + line${l});
  corner${l}.at += first;
  $end
  var tap = tapAt(4u * quad);
  let step = tapAt(CHUNK);
  $for l in X_LOADS
  var nextX${l} = bitcast<vec4i>(quadAt(corner${l}, tap));
  $end

  // Where this subgroup's matrices lie.
  let subgroup = indexOf(own);
  let down = subgroup / ${ACROSS}u;
  let across = subgroup - down * ${ACROSS}u;
  let left = down * (${ROWS * M}u * LINE);
  var right = (tileColumn * params.chunks * ${STEPS * ACROSS * COLUMNS}u + across * ${COLUMNS}u) * RIGHT;
  $for r in ROWS
  $for c in COLUMNS
  var result${r}_${c}: Result;
  $end
  $end
  for (var chunk = 0u; chunk < params.chunks; chunk++) {
    $for l in X_LOADS
    if (line${l} < TILE_PIXELS) {
      let at = line${l} * LINE + quad * 4u;
      staged[at] = nextX${l}.x;
      staged[at + 1u] = nextX${l}.y;
      staged[at + 2u] = nextX${l}.z;
      staged[at + 3u] = nextX${l}.w;
    }
    $end
    workgroupBarrier(); // publishes staged: the lines of this chunk
    tap = advance(tap, step);
    $for l in X_LOADS
    nextX${l} = bitcast<vec4i>(quadAt(corner${l}, tap));
    $end
    $for s in STEPS
    $for r in ROWS
    let left${s}_${r} = loadLeft(left + ${r * M}u * LINE + ${s * K}u / 4u);
    $end
    $for c in COLUMNS
    let right${s}_${c} = loadRight(right + ${s * ACROSS * COLUMNS + c}u * RIGHT);
    $for r in ROWS
    result${r}_${c} = multiplyAdd(left${s}_${r}, right${s}_${c}, result${r}_${c});
    $end
    $end
    $end
    right += ${STEPS * ACROSS * COLUMNS}u * RIGHT;
    workgroupBarrier(); // publishes that staged is read and may be overwritten
  }

  // A row of results is WIDTH / 4 words wide; an invocation stores every LINES-th of one column.
  const LINES = THREADS / (WIDTH / 4u);
  let column = index % (WIDTH / 4u);
  let head = index / (WIDTH / 4u);
  let isReal = word + column < params.groupOuts;
  let at = select(0u, group * params.groupOuts + word + column, isReal);
  let offset = bias[at];
  let b = floatBias(at, params.outWords);
  let m = multiplier[at];
  let rounding = rounding(params.zeroPoint, params.low, params.high);
  $for r in ROWS
  $for c in COLUMNS
  storeResult(down * (${M}u * WIDTH) + (across * ${COLUMNS}u + ${c}u) * ${N}u, result${r}_${c});
  $end
  workgroupBarrier(); // publishes staged: a row of results of each subgroup
  for (var i = head; isReal && i < ${DOWN * M}u; i += LINES) {
    let p = pixel + i / ${M}u * ${ROWS * M}u + ${r * M}u + i % ${M}u;
    if (p < params.pixels) {
      let source = i * WIDTH + column * 4u;
      let acc = vec4i(staged[source], staged[source + 1u], staged[source + 2u], staged[source + 3u]);
      store(p * params.outWords + at, offset + acc, b, m, rounding);
    }
  }
  workgroupBarrier(); // publishes that staged is read and may be overwritten
  $end
}
