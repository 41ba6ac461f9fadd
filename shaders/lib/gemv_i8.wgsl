// out[p, o] = store(Σ_taps Σᵢ x[window(p, tap), i] · filter[o, tap, i])               docs/quantization.md (25)
//
// lib/conv_i8.wgsl's sum for a few pixels, where tiles would leave the device idle: LANES invocations split
// the sum over taps and input words of one output word, reading neighbouring patches, and join their
// int32 parts in workgroup memory. Integers add up to the same in any order.
//
// Needs lib/window.wgsl, lib/taps.wgsl, lib/dot4.wgsl, a lib/store_*.wgsl (with CHUNKED), `params` with the sizes of a
// convolution, tilesWide and padWord, and the bindings `x` and `filters`.

const THREADS = ${LANES * COLUMNS}u;
const CHUNK = 256u; // words: 1,024 products of at most 2¹⁴ stay within 2²⁴

var<workgroup> parts: array<vec4i, ${PIXELS * LANES * COLUMNS}>; // (PIXELS, COLUMNS, LANES)

fn wordAt(c: Corner, t: Tap) -> u32 {
  return select(params.padWord, x[u32(c.at + wordsTo(t))], isInside(c, t.dy, t.dx));
}

@compute @workgroup_size(${LANES}, ${COLUMNS})
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let tile = id.y * groups.x + id.x;
  let tileRow = tile / params.tilesWide;
  let pixel = tileRow * ${PIXELS}u;
  if (pixel >= params.pixels) { return; }
  let lane = local.x;
  let column = (tile - tileRow * params.tilesWide) * ${COLUMNS}u + local.y;
  let word = min(column, params.outWords - 1u); // past the last word: the last one again, not stored
  let first = i32((word / params.groupOuts) * params.groupWords);
  let patches = params.kernelHeight * params.kernelWidth * params.groupWords; // of one output word
  let cursor = word * patches;
  $for p in PIXELS
  var corner${p} = corner(pixel + ${p}u);
  corner${p}.at += first;
  var sums${p} = Sums();
  var acc${p} = vec4i();
  $end
  var tap = tapAt(lane);
  let step = tapAt(${LANES}u);
  var at = lane;
  while (at < patches) {
    let stop = select(patches, min(patches, at + CHUNK * ${LANES}u), CHUNKED);
    for (; at < stop; at += ${LANES}u) {
      let f = patchOf(filters[cursor + at]);
      $for p in PIXELS
      sums${p} = addDots(sums${p}, f, take(wordAt(corner${p}, tap)));
      $end
      tap = advance(tap, step);
    }
    if (CHUNKED) {
      $for p in PIXELS
      acc${p} += total(sums${p});
      sums${p} = Sums();
      $end
    }
  }
  $for p in PIXELS
  parts[${p}u * THREADS + index] = acc${p} + total(sums${p});
  $end
  for (var half = ${LANES}u / 2u; half > 0u; half >>= 1u) {
    workgroupBarrier(); // publishes parts of the first 2 · half lanes
    if (lane < half) {
      $for p in PIXELS
      parts[${p}u * THREADS + index] += parts[${p}u * THREADS + index + half];
      $end
    }
  }
  workgroupBarrier(); // publishes parts of lane 0: the whole sums
  let mine = pixel + lane;
  if (lane < ${PIXELS}u && mine < params.pixels && column < params.outWords) {
    store(mine, word, parts[lane * THREADS + index - lane], columnOf(word));
  }
}
