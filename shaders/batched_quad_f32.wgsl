// use lib/bounded.wgsl
// use lib/grid.wgsl
// tile QUARTER = 4
// tile WORDS = 1
// tile FOUR = 4
// tile STRAIGHT = 1   right lies as (K, N)
// tile TRANSPOSED = 0 right lies as (N, K); one of the two is 1
//
// out[b, h, m, n] = clamp(alpha · Σₖ left[b, h, m, k] · right[b, h, k, n], low, high)
//
// batched_f32.wgsl's product by quads, as conv_quad_f32.wgsl: four invocations share a tile of 4 · QUARTER rows
// and 4 · WORDS output words. Each loads a quarter of the rows and the patches of its own words; the rows go
// round the quad by swaps. Needs quads that are four consecutive invocations of the workgroup.

enable subgroups;

override WORKGROUP: u32 = 64;
override MASKED: bool = false; // lanes of left past K hold anything: they count as 0

struct Params {
  count: u32,     // tiles
  tilesWide: u32,
  tilesDown: u32,
  inner: u32,     // size of the inner batch axis
  rows: u32,      // M
  outWords: u32,  // N / 4
  last: u32,      // N
  depth: u32,     // K / 4
  terms: u32,     // K
  lastLine: u32,  // K − 1, or N − 1 where right is transposed: the last line of right, read for those past it
  left0: u32,     // from one outer batch to the next
  left1: u32,     // from one inner batch to the next
  leftRow: u32,
  right0: u32,
  right1: u32,
  rightLine: u32,
  out0: u32,
  out1: u32,
  outRow: u32,
  leftBase: u32,  // where the first batch starts
  rightBase: u32,
  outBase: u32,
  alpha: f32,
  low: f32,
  high: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> left: array<vec4f>;  // (batch, rows, depth)
@group(0) @binding(2) var<storage, read> right: array<vec4f>; // (batch, K, outWords), or (batch, N, depth)
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>; // (batch, rows, outWords)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  let lane = index % 4u;
  let tile = min(index / 4u, params.count - 1u); // past the last tile: it again, not stored; lanes stay together
  let tileRow = tile / params.tilesWide;
  let word = ((tile - tileRow * params.tilesWide) * 4u + lane) * ${WORDS}u;
  let batch = tileRow / params.tilesDown;
  let row = (tileRow - batch * params.tilesDown) * ${QUARTER * 4}u;
  let outer = batch / params.inner;
  let inner = batch - outer * params.inner;
  let leftAt = params.leftBase + outer * params.left0 + inner * params.left1;
  let rightAt = params.rightBase + outer * params.right0 + inner * params.right1;
  let outAt = params.outBase + outer * params.out0 + inner * params.out1;
  let line = params.rightLine;
  let end = params.lastLine;
  $for g in QUARTER
  let at${g} = leftAt + min(row + ${g * 4}u + lane, params.rows - 1u) * params.leftRow;
  $for s in FOUR
  $for n in WORDS
  var sum${s}_${g}_${n} = vec4f();
  $end
  $end
  $end
  $for n in WORDS
  let word${n} = min(word + ${n}u, params.outWords - 1u);
  $for t in TRANSPOSED
  let a${n} = rightAt + min(4u * word${n}, end) * line;
  let b${n} = rightAt + min(4u * word${n} + 1u, end) * line;
  let c${n} = rightAt + min(4u * word${n} + 2u, end) * line;
  let d${n} = rightAt + min(4u * word${n} + 3u, end) * line;
  $end
  $end
  for (var i = 0u; i < params.depth; i++) {
    let real = 4u * i + vec4u(0, 1, 2, 3) < vec4u(params.terms);
    $for t in STRAIGHT
    let a = rightAt + min(4u * i, end) * line;
    let b = rightAt + min(4u * i + 1u, end) * line;
    let c = rightAt + min(4u * i + 2u, end) * line;
    let d = rightAt + min(4u * i + 3u, end) * line;
    $end
    $for n in WORDS
    $for t in STRAIGHT
    let f${n} = mat4x4f(right[a + word${n}], right[b + word${n}], right[c + word${n}], right[d + word${n}]);
    $end
    $for t in TRANSPOSED
    let f${n} = mat4x4f(right[a${n} + i], right[b${n} + i], right[c${n} + i], right[d${n} + i]);
    $end
    $end
    $for g in QUARTER
    var x0_${g} = left[at${g} + i];
    if (MASKED) { x0_${g} = select(vec4f(), x0_${g}, real); }
    let x1_${g} = quadSwapX(x0_${g});
    let x2_${g} = quadSwapY(x0_${g});
    let x3_${g} = quadSwapDiagonal(x0_${g});
    $for s in FOUR
    $for n in WORDS
    $for t in STRAIGHT
    sum${s}_${g}_${n} += f${n} * x${s}_${g};
    $end
    $for t in TRANSPOSED
    sum${s}_${g}_${n} += x${s}_${g} * f${n};
    $end
    $end
    $end
    $end
  }
  if (index >= params.count * 4u) { return; }
  let low = vec4f(params.low);
  let high = vec4f(params.high);
  $for n in WORDS
  if (word + ${n}u < params.outWords) {
    $for g in QUARTER
    $for s in FOUR
    let row${s}_${g}_${n} = row + ${g * 4}u + (lane ^ ${s}u);
    if (row${s}_${g}_${n} < params.rows) {
      out[outAt + row${s}_${g}_${n} * params.outRow + word + ${n}u] = bounded(params.alpha * sum${s}_${g}_${n}, low, high, word + ${n}u);
    }
    $end
    $end
  }
  $end
}
