// use lib/window.wgsl
// use lib/taps.wgsl
// use lib/bounds_f32.wgsl
// use lib/bounded.wgsl
// use lib/store_f32.wgsl
// tile DOWN = 8      invocations of a workgroup, along pixels
// tile ACROSS = 8    along output words
// tile ROWS = 4      pixels of an invocation
// tile WORDS = 2     output words of an invocation
// tile CHUNK = 8     input words of a chunk
// tile X_LOADS = 4   ROWS · CHUNK / ACROSS
// tile F_LOADS = 8   WORDS · CHUNK · 4 / DOWN
//
// out[p, o] = clamp(bias[o] + Σ_taps Σᵢ x[window(p, tap), i] · filter[o, tap, i] [+ residual[p, o]], low, high)
//
// conv_f32.wgsl's sum as a matrix product, cut as in conv_tiled_i8.wgsl: a workgroup owns DOWN · ROWS
// pixels by ACROSS · WORDS output words and stages the sum in workgroup memory, CHUNK words at a time.
// A word of x is a vec4 as it is, and a patch of the filter four: one column for each input lane. Taps
// outside the picture, and past the end of the sum, add 0 · 0.

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
  chunks: u32,      // of the sum
  groupTiles: u32,  // tiles along the output words of one group
  tilesWide: u32,   // of all groups
  low: f32,
  high: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (batch, inHeight, inWidth, inWords)
@group(0) @binding(2) var<storage, read> filters: array<vec4f>;   // (tilesWide, chunks, CHUNK, 4 input lanes, tile's words): component = output lane
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;      // (outWords), then what bounds_f32.wgsl says
@group(0) @binding(4) var<storage, read> residual: array<vec4f>;  // as out
@group(0) @binding(5) var<storage, read_write> out: array<vec4f>; // (pixels, outWords)

const THREADS = ${DOWN * ACROSS}u;
const TILE_PIXELS = ${DOWN * ROWS}u;
const TILE_WORDS = ${ACROSS * WORDS}u;
const PATCHES = ${4 * CHUNK * ACROSS * WORDS}u; // vec4 of a chunk
const LINE = TILE_PIXELS + 8u / ${CHUNK}u; // of xs: what neighbours store at once lies in different banks

var<workgroup> xs: array<vec4f, ${CHUNK * DOWN * ROWS + 8}>;         // (CHUNK, LINE)
var<workgroup> fs: array<vec4f, ${4 * CHUNK * ACROSS * WORDS}>;      // (CHUNK, 4, TILE_WORDS)

fn wordAt(c: Corner, t: Tap) -> vec4f {
  let inside = isInside(c, t.dy, t.dx) && t.dy < i32(params.kernelHeight * params.dilationHeight);
  return select(vec4f(), x[u32(c.at + wordsTo(t))], inside);
}

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

  // What this invocation stages: one word of X_LOADS pixels, and F_LOADS columns of patches.
  let lane = index % ${CHUNK}u;
  let line = index / ${CHUNK}u;
  let first = i32(group * params.groupWords);
  $for l in X_LOADS
  let line${l} = line + ${l}u * (THREADS / ${CHUNK}u);
  var corner${l} = corner(pixel + line${l});
  corner${l}.at += first;
  $end
  var tap = tapAt(lane);
  let step = tapAt(${CHUNK}u);
  var cursor = tileColumn * params.chunks * PATCHES + index;
  $for l in X_LOADS
  var nextX${l} = wordAt(corner${l}, tap);
  $end
  $for l in F_LOADS
  var nextF${l} = filters[cursor + ${l}u * THREADS];
  $end

  $for r in ROWS
  $for n in WORDS
  var sum${r}_${n} = vec4f();
  $end
  $end
  for (var chunk = 0u; chunk < params.chunks; chunk++) {
    $for l in X_LOADS
    xs[lane * LINE + line${l}] = nextX${l};
    $end
    $for l in F_LOADS
    fs[index + ${l}u * THREADS] = nextF${l};
    $end
    workgroupBarrier(); // publishes xs and fs of this chunk
    tap = advance(tap, step);
    cursor += PATCHES;
    $for l in X_LOADS
    nextX${l} = wordAt(corner${l}, tap);
    $end
    $for l in F_LOADS
    nextF${l} = filters[cursor + ${l}u * THREADS];
    $end
    for (var k = 0u; k < ${CHUNK}u; k++) {
      let column = 4u * k * TILE_WORDS + local.x;
      $for n in WORDS
      let f${n} = mat4x4f(
        fs[column + ${n * ACROSS}u],
        fs[column + ${n * ACROSS + 1 * ACROSS * WORDS}u],
        fs[column + ${n * ACROSS + 2 * ACROSS * WORDS}u],
        fs[column + ${n * ACROSS + 3 * ACROSS * WORDS}u]);
      $end
      $for r in ROWS
      let x${r} = xs[k * LINE + local.y + ${r * DOWN}u];
      $for n in WORDS
      sum${r}_${n} += f${n} * x${r};
      $end
      $end
    }
    workgroupBarrier(); // publishes that xs and fs are read and may be overwritten
  }

  $for n in WORDS
  let column${n} = word + local.x + ${n * ACROSS}u;
  if (column${n} < params.groupOuts) {
    let word${n} = group * params.groupOuts + column${n};
    let bias${n} = bias[word${n}];
    $for r in ROWS
    let pixel${n}_${r} = pixel + local.y + ${r * DOWN}u;
    if (pixel${n}_${r} < params.pixels) { store(pixel${n}_${r}, word${n}, bias${n} + sum${r}_${n}); }
    $end
  }
  $end
}
