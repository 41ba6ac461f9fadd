// out[p, o] = clamp(bias[o] + Σ_taps Σᵢ x[window(p, tap), i] · filter[o, tap, i] [+ residual[p, o]], low, high)
//
// NHWC, four channels a vec4. An invocation owns PIXELS consecutive pixels of WORDS output words and keeps
// their sums in registers, so a load from x meets WORDS patches of the filter and a patch PIXELS loads.
// A group's channels are whole words, and its output words are a multiple of WORDS (plan/ sees to both).
// Taps outside the picture add 0.

override WORKGROUP: u32 = 64;
override POINTWISE: bool = false; // 1 × 1, stride 1, no pads: out pixel p reads in pixel p
override RESIDUAL: bool = false;  // residual is added before the clamp; else its binding is not read

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
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (batch, inHeight, inWidth, inWords)
@group(0) @binding(2) var<storage, read> filters: array<mat4x4f>; // (outWords, taps, groupWords): column = output lane
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;      // (outWords), then what bounds_f32.wgsl says
@group(0) @binding(4) var<storage, read> residual: array<vec4f>;  // as out
@group(0) @binding(5) var<storage, read_write> out: array<vec4f>; // (pixels, outWords)

fn finish(at: u32, sum: vec4f, low: vec4f, high: vec4f, word: u32) -> vec4f {
  var y = sum;
  if (RESIDUAL) { y += residual[at]; }
  y = bounded(y, low, high, word);
  out[at] = y;
  return y;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  let outWords = params.outWords;
  let tilesWide = (outWords + ${WORDS}u - 1u) / ${WORDS}u;
  let row = index / tilesWide;
  let word = (index - row * tilesWide) * ${WORDS}u;
  let pixel = row * ${PIXELS}u;
  if (pixel >= params.pixels) { return; }
  let groupWords = params.groupWords;
  let first = (word / params.groupOuts) * groupWords;
  let patches = params.kernelHeight * params.kernelWidth * groupWords; // of one output word
  $for n in WORDS
  let word${n} = min(word + ${n}u, outWords - 1u); // past the last word: the last one again, not stored
  let cursor${n} = word${n} * patches;
  let bias${n} = bias[word${n}];
  $for p in PIXELS
  var sum${p}_${n} = bias${n};
  $end
  $end
  if (POINTWISE) {
    let end = params.pixels - 1u;
    $for p in PIXELS
    let at${p} = min(pixel + ${p}u, end) * params.inWords + first;
    $end
    for (var i = 0u; i < groupWords; i++) {
      $for n in WORDS
      let f${n} = filters[cursor${n} + i];
      $end
      $for p in PIXELS
      let x${p} = x[at${p} + i];
      $for n in WORDS
      sum${p}_${n} += x${p} * f${n};
      $end
      $end
    }
  } else {
    // One loop over taps and words, not three, and no branch in it: some drivers take minutes to compile
    // this many sums in nested loops.
    $for p in PIXELS
    let corner${p} = corner(pixel + ${p}u);
    let at${p} = corner${p}.at + i32(first);
    $end
    let lineWords = i32(params.inWidth * params.inWords);
    let inWords = i32(params.inWords);
    let stepX = i32(params.dilationWidth);
    let stepY = i32(params.dilationHeight);
    let endX = stepX * i32(params.kernelWidth);
    var i = 0;
    var dx = 0;
    var dy = 0;
    for (var step = 0u; step < patches; step++) {
      $for n in WORDS
      let f${n} = filters[cursor${n} + step];
      $end
      let delta = dy * lineWords + dx * inWords + i;
      $for p in PIXELS
      let x${p} = select(vec4f(0), x[u32(at${p} + delta)], isInside(corner${p}, dy, dx));
      $for n in WORDS
      sum${p}_${n} += x${p} * f${n};
      $end
      $end
      i++;
      let next = i == i32(groupWords);
      i = select(i, 0, next);
      dx = select(dx, dx + stepX, next);
      let wrap = dx == endX;
      dx = select(dx, 0, wrap);
      dy = select(dy, dy + stepY, wrap);
    }
  }
  let pixels = params.pixels;
  $for n in WORDS
  if (word + ${n}u < outWords) {
    let low = lowOf(word${n}, outWords);
    let high = highOf(word${n}, outWords);
    var least${n} = NO_LEAST;
    var greatest${n} = NO_GREATEST;
    $for p in PIXELS
    if (pixel + ${p}u < pixels) {
      let at = (pixel + ${p}u) * outWords + word${n};
      let y${p}_${n} = finish(at, sum${p}_${n}, low, high, word + ${n}u);
      least${n} = seeLeast(least${n}, rank(y${p}_${n}));
      greatest${n} = seeGreatest(greatest${n}, rank(y${p}_${n}));
    }
    $end
    publish(least${n}, greatest${n}, realLanes(word${n}));
  }
  $end
}
