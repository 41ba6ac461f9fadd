// use lib/grid.wgsl
// use lib/weights.wgsl
// use lib/bounded.wgsl
// tile ROWS = 8
// tile WORDS = 2
//
// lib/weights.wgsl's product, in registers: an invocation owns ROWS consecutive rows of WORDS output words. A step
// of a weight is unpacked once for all the rows.

override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  let outWords = params.outWords;
  let tilesWide = (outWords + ${WORDS}u - 1u) / ${WORDS}u;
  let tileRow = index / tilesWide;
  let word = (index - tileRow * tilesWide) * ${WORDS}u;
  let row = tileRow * ${ROWS}u;
  if (row >= params.rows) { return; }
  let steps = params.steps;
  let lastWord = params.inWords - 1u;
  $for n in WORDS
  let word${n} = min(word + ${n}u, outWords - 1u); // past the last word: the last one again, not stored
  let cursor${n} = word${n} * steps;
  let blocks${n} = word${n} * params.blocks;
  let bias${n} = bias[word${n}];
  $for r in ROWS
  var sum${r}_${n} = bias${n};
  $end
  $end
  $for r in ROWS
  let at${r} = min(row + ${r}u, params.rows - 1u) * params.inWords;
  $end
  var group = 0u;
  var rest = 0u; // steps into the block
  for (var step = 0u; step < steps; step++) {
    let i = 2u * step;
    let j = min(i + 1u, lastWord); // past the last word: the last one again, times 0
    $for n in WORDS
    let w${n} = weightStep(cursor${n} + step, blocks${n} + group);
    $end
    $for r in ROWS
    let x${r} = x[at${r} + i];
    let y${r} = x[at${r} + j];
    $for n in WORDS
    sum${r}_${n} += w${n}.first * x${r};
    sum${r}_${n} += w${n}.second * y${r};
    $end
    $end
    rest++;
    let next = rest == params.blockSteps;
    rest = select(rest, 0u, next);
    group = select(group, group + 1u, next);
  }
  $for n in WORDS
  if (word + ${n}u < outWords) {
    $for r in ROWS
    if (row + ${r}u < params.rows) { store((row + ${r}u) * outWords + word${n}, sum${r}_${n}); }
    $end
  }
  $end
}
