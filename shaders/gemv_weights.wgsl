// use lib/weights.wgsl
// use lib/bounded.wgsl
// tile LANES = 64    invocations that share a sum; a power of two
// tile COLUMNS = 1   output words of a workgroup
// tile ROWS = 4      rows of a workgroup
//
// lib/weights.wgsl's product for a few rows, cut as in gemv_i8.wgsl: LANES invocations split the sum of one
// output word, neighbours reading neighbouring steps of the weight, so that it is read once and in one run. The scale
// multiplies the sum of a step, not the weights: s · Σ (q − z) · x.

const THREADS = ${LANES * COLUMNS}u;

var<workgroup> parts: array<vec4f, ${ROWS * LANES * COLUMNS}>; // (ROWS, COLUMNS, LANES)

@compute @workgroup_size(${LANES}, ${COLUMNS})
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let tilesWide = (params.outWords + ${COLUMNS}u - 1u) / ${COLUMNS}u;
  let tile = id.y * groups.x + id.x;
  let tileRow = tile / tilesWide;
  let row = tileRow * ${ROWS}u;
  if (row >= params.rows) { return; }
  let lane = local.x;
  let column = (tile - tileRow * tilesWide) * ${COLUMNS}u + local.y;
  let word = min(column, params.outWords - 1u); // past the last word: the last one again, not stored
  let cursor = word * params.steps;
  let blocks = word * params.blocks;
  let lastWord = params.inWords - 1u;
  $for r in ROWS
  let at${r} = min(row + ${r}u, params.rows - 1u) * params.inWords;
  var sum${r} = vec4f();
  $end
  let blockSteps = params.blockSteps;
  let strideBlocks = ${LANES}u / blockSteps;
  let strideRest = ${LANES}u - strideBlocks * blockSteps;
  var group = lane / blockSteps;
  var rest = lane - group * blockSteps; // steps into the block
  for (var step = lane; step < params.steps; step += ${LANES}u) {
    let i = 2u * step;
    let j = min(i + 1u, lastWord); // past the last word: the last one again, times 0
    let w = differences(cursor + step, blocks + group);
    let scale = scaleAt(blocks + group);
    $for r in ROWS
    sum${r} += scale * (w.first * x[at${r} + i] + w.second * x[at${r} + j]);
    $end
    rest += strideRest;
    group += strideBlocks;
    let next = rest >= blockSteps;
    rest = select(rest, rest - blockSteps, next);
    group = select(group, group + 1u, next);
  }
  $for r in ROWS
  parts[${r}u * THREADS + index] = sum${r};
  $end
  for (var half = ${LANES}u / 2u; half > 0u; half >>= 1u) {
    workgroupBarrier(); // publishes parts of the first 2 · half lanes
    if (lane < half) {
      $for r in ROWS
      parts[${r}u * THREADS + index] += parts[${r}u * THREADS + index + half];
      $end
    }
  }
  workgroupBarrier(); // publishes parts of lane 0: the whole sums
  let mine = row + lane;
  if (lane < ${ROWS}u && mine < params.rows && column < params.outWords) {
    store(mine * params.outWords + word, bias[word] + parts[lane * THREADS + index - lane]);
  }
}
