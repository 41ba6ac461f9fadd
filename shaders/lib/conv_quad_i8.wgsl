// out = storeSums(Σ x · filter): lib/conv_i8.wgsl by quads, as lib/conv_quad_f32.wgsl: four invocations share a
// tile of 4 · QUARTER pixels and 4 · WORDS output words. Needs what that needs, and addResiduals(pixel, word, live),
// for the words of a tile from there on, once they are stored.

override WORKGROUP: u32 = 64;
override POINTWISE: bool = false; // 1 × 1, stride 1, no pads: out pixel p reads in pixel p

const CHUNK = 256u; // words: 1,024 products of at most 2¹⁴ stay within 2²⁴

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  let outWords = params.outWords;
  let pixels = params.pixels;
  let tilesWide = (outWords + ${WORDS * 4}u - 1u) / ${WORDS * 4}u;
  let tiles = tilesWide * ((pixels + ${QUARTER * 4}u - 1u) / ${QUARTER * 4}u);
  let lane = index % 4u;
  let tile = min(index / 4u, tiles - 1u); // past the last tile: it again, not stored; lanes stay together
  let row = tile / tilesWide;
  let word = ((tile - row * tilesWide) * 4u + lane) * ${WORDS}u;
  let pixel = row * ${QUARTER * 4}u;
  let padWord = params.padWord;
  let groupWords = params.groupWords;
  let patches = params.kernelHeight * params.kernelWidth * groupWords; // of one output word
  $for n in WORDS
  let word${n} = min(word + ${n}u, outWords - 1u); // past the last word: the last one again, not stored
  let cursor${n} = word${n} * patches;
  $for g in QUARTER
  $for s in FOUR
  var sums${s}_${g}_${n} = Sums();
  var acc${s}_${g}_${n} = vec4i();
  $end
  $end
  $end
  if (POINTWISE) {
    let end = pixels - 1u;
    $for g in QUARTER
    let at${g} = min(pixel + ${g * 4}u + lane, end) * params.inWords;
    $end
    var step = 0u;
    while (step < patches) {
      let stop = select(patches, min(patches, step + CHUNK), CHUNKED);
      for (; step < stop; step += ${STEPS}u) {
        $for g in QUARTER
        $for t in STEPS
        let x0_${g}_${t} = take(x[at${g} + step + ${t}u]);
        let x1_${g}_${t} = quadSwapX(x0_${g}_${t});
        let x2_${g}_${t} = quadSwapY(x0_${g}_${t});
        let x3_${g}_${t} = quadSwapDiagonal(x0_${g}_${t});
        $end
        $end
        $for n in WORDS
        $for k in FOUR
        $for t in STEPS
        let f${n}_${k}_${t} = take(filters[(cursor${n} + step + ${t}u) * 4u + ${k}u]);
        $end
        $for g in QUARTER
        $for s in FOUR
        let sum${s}_${g}_${n}_${k}_0 = sums${s}_${g}_${n}[${k}];
        $for t in STEPS
        let sum${s}_${g}_${n}_${k}_${t + 1} = addDot(sum${s}_${g}_${n}_${k}_${t}, f${n}_${k}_${t}, x${s}_${g}_${t});
        $end
        sums${s}_${g}_${n}[${k}] = sum${s}_${g}_${n}_${k}_${STEPS};
        $end
        $end
        $end
        $end
      }
      if (CHUNKED) {
        $for s in FOUR
        $for g in QUARTER
        $for n in WORDS
        acc${s}_${g}_${n} += total(sums${s}_${g}_${n});
        sums${s}_${g}_${n} = Sums();
        $end
        $end
        $end
      }
    }
  } else {
    $for g in QUARTER
    let corner${g} = corner(pixel + ${g * 4}u + lane);
    let at${g} = corner${g}.at;
    $end
    let lineWords = i32(params.inWidth * params.inWords);
    let inWords = i32(params.inWords);
    let stepX = i32(params.dilationWidth);
    let stepY = i32(params.dilationHeight);
    let endX = stepX * i32(params.kernelWidth);
    var i = 0;
    var dx = 0;
    var dy = 0;
    var step = 0u;
    while (step < patches) {
      let stop = select(patches, min(patches, step + CHUNK), CHUNKED);
      for (; step < stop; step += ${STEPS}u) {
        let delta = dy * lineWords + dx * inWords + i;
        $for g in QUARTER
        let inside${g} = isInside(corner${g}, dy, dx);
        $for t in STEPS
        let x0_${g}_${t} = take(select(padWord, x[u32(at${g} + delta + ${t})], inside${g}));
        let x1_${g}_${t} = quadSwapX(x0_${g}_${t});
        let x2_${g}_${t} = quadSwapY(x0_${g}_${t});
        let x3_${g}_${t} = quadSwapDiagonal(x0_${g}_${t});
        $end
        $end
        $for n in WORDS
        $for k in FOUR
        $for t in STEPS
        let f${n}_${k}_${t} = take(filters[(cursor${n} + step + ${t}u) * 4u + ${k}u]);
        $end
        $for g in QUARTER
        $for s in FOUR
        let sum${s}_${g}_${n}_${k}_0 = sums${s}_${g}_${n}[${k}];
        $for t in STEPS
        let sum${s}_${g}_${n}_${k}_${t + 1} = addDot(sum${s}_${g}_${n}_${k}_${t}, f${n}_${k}_${t}, x${s}_${g}_${t});
        $end
        sums${s}_${g}_${n}[${k}] = sum${s}_${g}_${n}_${k}_${STEPS};
        $end
        $end
        $end
        $end
        i += ${STEPS};
        let next = i == i32(groupWords);
        i = select(i, 0, next);
        dx = select(dx, dx + stepX, next);
        let wrap = dx == endX;
        dx = select(dx, 0, wrap);
        dy = select(dy, dy + stepY, wrap);
      }
      if (CHUNKED) {
        $for s in FOUR
        $for g in QUARTER
        $for n in WORDS
        acc${s}_${g}_${n} += total(sums${s}_${g}_${n});
        sums${s}_${g}_${n} = Sums();
        $end
        $end
        $end
      }
    }
  }
  let live = index < tiles * 4u;
  $for n in WORDS
  if (live && word + ${n}u < outWords) {
    let column${n} = columnOf(word${n});
    $for g in QUARTER
    $for s in FOUR
    let pixel${s}_${g} = pixel + ${g * 4}u + (lane ^ ${s}u);
    if (pixel${s}_${g} < pixels) {
      storeSums(pixel${s}_${g}, word${n}, acc${s}_${g}_${n}, sums${s}_${g}_${n}, column${n});
    }
    $end
    $end
  }
  $end
  addResiduals(pixel, word, live);
}
