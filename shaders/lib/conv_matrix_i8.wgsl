// out[p, o] = store(Σ_taps Σᵢ x[window(p, tap), i] · filter[o, tap, i])               docs/quantization.md (25)
//
// lib/conv_tiled_i8.wgsl's sum by matrices of subgroups. A workgroup owns DOWN · ROWS · M pixels by
// ACROSS · COLUMNS · N output channels and takes the sum in chunks of STEPS · K bytes. It stages x, a line a
// pixel, while the next chunk is on its way in registers; the filter lies in the order in which
// subgroups read it, a matrix in one run. Results leave through the same memory, a row of matrices of
// every subgroup at a time, so that a store is a word of four channels as in every other kernel.
//
// Needs what that needs, and a lib/matrix*.wgsl.

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
  let constants = columnOf(at);
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
      store(p, at, acc, constants);
    }
  }
  workgroupBarrier(); // publishes that staged is read and may be overwritten
  $end
}
