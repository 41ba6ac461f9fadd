// use lib/grid.wgsl
// use lib/weights.wgsl
// use lib/bounded.wgsl
// tile QUARTER = 4
// tile WORDS = 1
// tile FOUR = 4
//
// lib/weights.wgsl's product, by quads as lib/conv_quad_f32.wgsl: four invocations share a tile of 4 · QUARTER rows
// and 4 · WORDS output words. Each loads a quarter of the rows and unpacks the weights of its own words; the rows
// go round the quad by swaps.
//
// Needs subgroups, and quads that are four consecutive invocations of the workgroup.

enable subgroups;

override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  let outWords = params.outWords;
  let rows = params.rows;
  let steps = params.steps;
  let lastWord = params.inWords - 1u;
  let tilesWide = (outWords + ${WORDS * 4}u - 1u) / ${WORDS * 4}u;
  let tiles = tilesWide * ((rows + ${QUARTER * 4}u - 1u) / ${QUARTER * 4}u);
  let lane = index % 4u;
  let tile = min(index / 4u, tiles - 1u); // past the last tile: it again, not stored; lanes stay together
  let tileRow = tile / tilesWide;
  let word = ((tile - tileRow * tilesWide) * 4u + lane) * ${WORDS}u;
  let row = tileRow * ${QUARTER * 4}u;
  $for n in WORDS
  let word${n} = min(word + ${n}u, outWords - 1u); // past the last word: the last one again, not stored
  let cursor${n} = word${n} * steps;
  let blocks${n} = word${n} * params.blocks;
  let bias${n} = bias[word${n}];
  $for g in QUARTER
  $for s in FOUR
  var sums${s}_${g}_${n} = bias${n};
  $end
  $end
  $end
  $for g in QUARTER
  let at${g} = min(row + ${g * 4}u + lane, rows - 1u) * params.inWords;
  $end
  var group = 0u;
  var rest = 0u; // steps into the block
  for (var step = 0u; step < steps; step++) {
    let i = 2u * step;
    let j = min(i + 1u, lastWord); // past the last word: the last one again, times 0
    $for n in WORDS
    let w${n} = weightStep(cursor${n} + step, blocks${n} + group);
    $end
    $for g in QUARTER
    let x0_${g} = x[at${g} + i];
    let x1_${g} = quadSwapX(x0_${g});
    let x2_${g} = quadSwapY(x0_${g});
    let x3_${g} = quadSwapDiagonal(x0_${g});
    let y0_${g} = x[at${g} + j];
    let y1_${g} = quadSwapX(y0_${g});
    let y2_${g} = quadSwapY(y0_${g});
    let y3_${g} = quadSwapDiagonal(y0_${g});
    $for s in FOUR
    $for n in WORDS
    sums${s}_${g}_${n} += w${n}.first * x${s}_${g};
    sums${s}_${g}_${n} += w${n}.second * y${s}_${g};
    $end
    $end
    $end
    rest++;
    let next = rest == params.blockSteps;
    rest = select(rest, 0u, next);
    group = select(group, group + 1u, next);
  }
  let live = index < tiles * 4u;
  $for n in WORDS
  if (live && word + ${n}u < outWords) {
    $for g in QUARTER
    $for s in FOUR
    let row${s}_${g} = row + ${g * 4}u + (lane ^ ${s}u);
    if (row${s}_${g} < rows) { store(row${s}_${g} * outWords + word${n}, sums${s}_${g}_${n}); }
    $end
    $end
  }
  $end
}
