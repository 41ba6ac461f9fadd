// out[p, o] = storeSums(Σ_taps Σᵢ x[window(p, tap), i] · filter[o, tap, i])           docs/quantization.md (25)
//
// NHWC, four int8 channels a word. The filter is symmetric and x's zero point is the business of storeSums(), so
// the loop is dots alone; taps outside the picture read the zero point's own bytes, since real 0 is
// that byte. An invocation owns PIXELS consecutive pixels of WORDS output words, as lib/conv_f32.wgsl.
//
// Needs lib/grid.wgsl, lib/window.wgsl, lib/dot4.wgsl, a lib/store_*.wgsl (with CHUNKED), `params` with the sizes of a
// convolution and padWord, and the bindings `x` and `filters`.

override WORKGROUP: u32 = 64;
override POINTWISE: bool = false; // 1 × 1, stride 1, no pads: out pixel p reads in pixel p

const CHUNK = 256u; // words: 1,024 products of at most 2¹⁴ stay within 2²⁴

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
  let padWord = params.padWord;
  let patches = params.kernelHeight * params.kernelWidth * groupWords; // of one output word
  $for n in WORDS
  let word${n} = min(word + ${n}u, outWords - 1u); // past the last word: the last one again, not stored
  let cursor${n} = word${n} * patches;
  $for p in PIXELS
  var sums${p}_${n} = Sums();
  var acc${p}_${n} = vec4i();
  $end
  $end
  if (POINTWISE) {
    let end = params.pixels - 1u;
    $for p in PIXELS
    let at${p} = min(pixel + ${p}u, end) * params.inWords + first;
    $end
    var i = 0u;
    while (i < groupWords) {
      let stop = select(groupWords, min(groupWords, i + CHUNK), CHUNKED);
      for (; i < stop; i++) {
        $for n in WORDS
        let f${n} = patchOf(filters[cursor${n} + i]);
        $end
        $for p in PIXELS
        let x${p} = take(x[at${p} + i]);
        $for n in WORDS
        sums${p}_${n} = addDots(sums${p}_${n}, f${n}, x${p});
        $end
        $end
      }
      if (CHUNKED) {
        $for n in WORDS
        $for p in PIXELS
        acc${p}_${n} += total(sums${p}_${n});
        sums${p}_${n} = Sums();
        $end
        $end
      }
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
    var step = 0u;
    while (step < patches) {
      let stop = select(patches, min(patches, step + CHUNK), CHUNKED);
      for (; step < stop; step++) {
        $for n in WORDS
        let f${n} = patchOf(filters[cursor${n} + step]);
        $end
        let delta = dy * lineWords + dx * inWords + i;
        $for p in PIXELS
        let x${p} = take(select(padWord, x[u32(at${p} + delta)], isInside(corner${p}, dy, dx)));
        $for n in WORDS
        sums${p}_${n} = addDots(sums${p}_${n}, f${n}, x${p});
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
      if (CHUNKED) {
        $for n in WORDS
        $for p in PIXELS
        acc${p}_${n} += total(sums${p}_${n});
        sums${p}_${n} = Sums();
        $end
        $end
      }
    }
  }
  let pixels = params.pixels;
  $for n in WORDS
  if (word + ${n}u < outWords) {
    let column${n} = columnOf(word${n});
    $for p in PIXELS
    if (pixel + ${p}u < pixels) {
      storeSums(pixel + ${p}u, word${n}, acc${p}_${n}, sums${p}_${n}, column${n});
    }
    $end
  }
  $end
}
