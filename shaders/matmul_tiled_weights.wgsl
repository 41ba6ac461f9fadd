// use lib/weights.wgsl
// use lib/bounded.wgsl
// tile DOWN = 8      invocations of a workgroup, along rows
// tile ACROSS = 8    along output words
// tile ROWS = 4      rows of an invocation
// tile WORDS = 2     output words of an invocation
// tile CHUNK = 4     input words of a chunk; even
// tile X_LOADS = 2   ROWS · CHUNK / ACROSS
// tile W_LOADS = 4   WORDS · CHUNK · 4 / DOWN
//
// lib/weights.wgsl's product, cut as conv_tiled_f32.wgsl: a workgroup owns DOWN · ROWS rows by ACROSS · WORDS output
// words and stages CHUNK words of the sum in workgroup memory, the weights unpacked to float on the way in. What
// is past the end of the sum is 0.

const THREADS = ${DOWN * ACROSS}u;
const TILE_ROWS = ${DOWN * ROWS}u;
const TILE_WORDS = ${ACROSS * WORDS}u;
const COLUMNS = ${4 * CHUNK}u; // of a chunk
const LINE = TILE_ROWS + 8u / ${CHUNK}u; // of xs: what neighbours store at once lies in different banks

var<workgroup> xs: array<vec4f, ${CHUNK * DOWN * ROWS + 8}>;    // (CHUNK, LINE)
var<workgroup> ws: array<vec4f, ${4 * CHUNK * ACROSS * WORDS}>; // (CHUNK, 4, TILE_WORDS)

fn wordAt(row: u32, i: u32) -> vec4f {
  let at = min(row, params.rows - 1u) * params.inWords + min(i, params.inWords - 1u);
  return select(vec4f(), x[at], i < params.inWords);
}

fn columnAt(word: u32, column: u32, group: u32) -> vec4f {
  let own = min(word, params.outWords - 1u); // past the last word: the last one again, not stored
  let columns = 8u * params.steps;
  let at = own * params.blocks + min(group, params.blocks - 1u);
  let q = storedColumn(own * columns + min(column, columns - 1u));
  return select(vec4f(), (q - zeroAt(at)) * scaleAt(at), column < columns);
}

@compute @workgroup_size(${ACROSS}, ${DOWN})
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let tilesWide = (params.outWords + TILE_WORDS - 1u) / TILE_WORDS;
  let tile = id.y * groups.x + id.x;
  let tileRow = tile / tilesWide;
  let row = tileRow * TILE_ROWS;
  if (row >= params.rows) { return; }
  let word = (tile - tileRow * tilesWide) * TILE_WORDS;

  // What this invocation stages: one word of X_LOADS rows, and one column of W_LOADS words.
  let lane = index % ${CHUNK}u;
  let line = index / ${CHUNK}u;
  let ownColumn = index % COLUMNS;
  let ownWord = index / COLUMNS;
  var i = lane;
  var column = ownColumn;
  let blockSteps = params.blockSteps;
  let strideBlocks = (COLUMNS / 8u) / blockSteps;
  let strideRest = COLUMNS / 8u - strideBlocks * blockSteps;
  var group = (column / 8u) / blockSteps;
  var rest = column / 8u - group * blockSteps; // steps into the block
  $for l in X_LOADS
  let line${l} = line + ${l}u * (THREADS / ${CHUNK}u);
  var nextX${l} = wordAt(row + line${l}, i);
  $end
  $for l in W_LOADS
  let word${l} = ownWord + ${l}u * (THREADS / COLUMNS);
  var nextW${l} = columnAt(word + word${l}, column, group);
  $end

  $for r in ROWS
  $for n in WORDS
  var sum${r}_${n} = vec4f();
  $end
  $end
  let chunks = (params.inWords + ${CHUNK}u - 1u) / ${CHUNK}u;
  for (var chunk = 0u; chunk < chunks; chunk++) {
    $for l in X_LOADS
    xs[lane * LINE + line${l}] = nextX${l};
    $end
    $for l in W_LOADS
    ws[ownColumn * TILE_WORDS + word${l}] = nextW${l};
    $end
    workgroupBarrier(); // publishes xs and ws of this chunk
    i += ${CHUNK}u;
    column += COLUMNS;
    rest += strideRest;
    group += strideBlocks;
    let next = rest >= blockSteps;
    rest = select(rest, rest - blockSteps, next);
    group = select(group, group + 1u, next);
    $for l in X_LOADS
    nextX${l} = wordAt(row + line${l}, i);
    $end
    $for l in W_LOADS
    nextW${l} = columnAt(word + word${l}, column, group);
    $end
    for (var k = 0u; k < ${CHUNK}u; k++) {
      let first = 4u * k * TILE_WORDS + local.x;
      $for n in WORDS
      let w${n} = mat4x4f(
        ws[first + ${n * ACROSS}u],
        ws[first + ${n * ACROSS + 1 * ACROSS * WORDS}u],
        ws[first + ${n * ACROSS + 2 * ACROSS * WORDS}u],
        ws[first + ${n * ACROSS + 3 * ACROSS * WORDS}u]);
      $end
      $for r in ROWS
      let x${r} = xs[k * LINE + local.y + ${r * DOWN}u];
      $for n in WORDS
      sum${r}_${n} += w${n} * x${r};
      $end
      $end
    }
    workgroupBarrier(); // publishes that xs and ws are read and may be overwritten
  }

  $for n in WORDS
  let column${n} = word + local.x + ${n * ACROSS}u;
  if (column${n} < params.outWords) {
    let bias${n} = bias[column${n}];
    $for r in ROWS
    let row${n}_${r} = row + local.y + ${r * DOWN}u;
    if (row${n}_${r} < params.rows) { store(row${n}_${r} * params.outWords + column${n}, bias${n} + sum${r}_${n}); }
    $end
  }
  $end
}
