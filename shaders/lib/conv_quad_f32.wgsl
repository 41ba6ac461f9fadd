// Convolution in float as lib/conv_f32.wgsl, by quads: four invocations share a tile of 4 · QUARTER pixels and
// 4 · WORDS output words. Each loads a quarter of the pixels and the filters of its own words; the pixels
// go round the quad by swaps, so nothing is loaded twice. One group only.
//
// One output channel at a time: its filter's STEPS words are loaded where all pixels meet them, the pixel is the
// left factor, and a sum takes all STEPS words before it is stored. What compilers for CPUs make of that has the
// fewest instructions (docs/decisions/0024). A residual is added to what is stored, in a loop that takes no steps where
// there is none: kernels as long as these compile for seconds, and with it in registers there would be two of each.
//
// Needs subgroups, and quads that are four consecutive invocations of the workgroup.

override WORKGROUP: u32 = 64;
override POINTWISE: bool = false; // 1 × 1, stride 1, no pads: out pixel p reads in pixel p

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
  low: f32,
  high: f32,
  hasResidual: u32, // 1: residual is added before the clamp; 0: its binding is not read
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (batch, inHeight, inWidth, inWords)
@group(0) @binding(2) var<storage, read> filters: array<vec4f>;   // (outWords, taps, groupWords, output lane): component = input lane
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;      // (outWords), then what bounds_f32.wgsl says
@group(0) @binding(4) var<storage, read> residual: array<vec4f>;  // as out
@group(0) @binding(5) var<storage, read_write> out: array<vec4f>; // (pixels, outWords)

fn addDot(sum: f32, f: vec4f, x: vec4f) -> f32 {
  return sum + x.x * f.x + x.y * f.y + x.z * f.z + x.w * f.w;
}

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
  let groupWords = params.groupWords;
  let patches = params.kernelHeight * params.kernelWidth * groupWords; // of one output word
  $for n in WORDS
  let word${n} = min(word + ${n}u, outWords - 1u); // past the last word: the last one again, not stored
  let cursor${n} = word${n} * patches;
  let bias${n} = bias[word${n}];
  $for g in QUARTER
  $for s in FOUR
  var sums${s}_${g}_${n} = bias${n};
  $end
  $end
  $end
  if (POINTWISE) {
    let end = pixels - 1u;
    $for g in QUARTER
    let at${g} = min(pixel + ${g * 4}u + lane, end) * params.inWords;
    $end
    for (var step = 0u; step < patches; step += ${STEPS}u) {
      $for g in QUARTER
      $for t in STEPS
      let x0_${g}_${t} = x[at${g} + step + ${t}u];
      let x1_${g}_${t} = quadSwapX(x0_${g}_${t});
      let x2_${g}_${t} = quadSwapY(x0_${g}_${t});
      let x3_${g}_${t} = quadSwapDiagonal(x0_${g}_${t});
      $end
      $end
      $for n in WORDS
      $for k in FOUR
      $for t in STEPS
      let f${n}_${k}_${t} = filters[(cursor${n} + step + ${t}u) * 4u + ${k}u];
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
  } else {
    $for g in QUARTER
    let corner${g} = corner(min(pixel + ${g * 4}u + lane, pixels - 1u));
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
    for (var step = 0u; step < patches; step += ${STEPS}u) {
      let delta = dy * lineWords + dx * inWords + i;
      $for g in QUARTER
      let inside${g} = isInside(corner${g}, dy, dx);
      $for t in STEPS
      let x0_${g}_${t} = select(vec4f(0), x[u32(at${g} + delta + ${t})], inside${g});
      let x1_${g}_${t} = quadSwapX(x0_${g}_${t});
      let x2_${g}_${t} = quadSwapY(x0_${g}_${t});
      let x3_${g}_${t} = quadSwapDiagonal(x0_${g}_${t});
      $end
      $end
      $for n in WORDS
      $for k in FOUR
      $for t in STEPS
      let f${n}_${k}_${t} = filters[(cursor${n} + step + ${t}u) * 4u + ${k}u];
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
  }
  let live = index < tiles * 4u;
  let isLater = params.hasResidual != 0u;
  // What is past the last tile, word or pixel is the last one once more: seen again, which changes nothing.
  $for n in WORDS
  let stored${n} = live && word + ${n}u < outWords;
  let low${n} = lowOf(word${n}, outWords);
  let high${n} = highOf(word${n}, outWords);
  let least${n}_0 = NO_LEAST;
  let greatest${n}_0 = NO_GREATEST;
  $for g in QUARTER
  $for s in FOUR
  let pixel${s}_${g}_${n} = pixel + ${g * 4}u + (lane ^ ${s}u);
  let at${s}_${g}_${n} = min(pixel${s}_${g}_${n}, pixels - 1u) * outWords + word${n};
  let y${s}_${g}_${n} = select(bounded(sums${s}_${g}_${n}, low${n}, high${n}, word${n}), sums${s}_${g}_${n}, isLater);
  let rank${s}_${g}_${n} = rank(y${s}_${g}_${n});
  let least${n}_${g * 4 + s + 1} = seeLeast(least${n}_${g * 4 + s}, rank${s}_${g}_${n});
  let greatest${n}_${g * 4 + s + 1} = seeGreatest(greatest${n}_${g * 4 + s}, rank${s}_${g}_${n});
  if (stored${n} && pixel${s}_${g}_${n} < pixels) { out[at${s}_${g}_${n}] = y${s}_${g}_${n}; }
  $end
  $end
  if (!isLater) { publish(least${n}_${QUARTER * 4}, greatest${n}_${QUARTER * 4}, realLanes(word${n})); }
  $end
  for (var n = 0u; n < params.hasResidual * ${WORDS}u; n++) {
    let own = min(word + n, outWords - 1u);
    let end = select(pixel, min(pixel + ${QUARTER * 4}u, pixels), live && word + n < outWords);
    let low = lowOf(own, outWords);
    let high = highOf(own, outWords);
    var least = NO_LEAST;
    var greatest = NO_GREATEST;
    for (var p = pixel; p < end; p++) {
      let at = p * outWords + own;
      let y = bounded(out[at] + residual[at], low, high, own);
      out[at] = y;
      least = seeLeast(least, rank(y));
      greatest = seeGreatest(greatest, rank(y));
    }
    publish(least, greatest, realLanes(own));
  }
}
