// out[p, o] = storeSums(Σ_taps Σᵢ x[window(p, tap), i] · filter[o, tap, i])           docs/quantization.md (25)
//
// lib/conv_i8.wgsl's sum as a matrix product: pixels × output words, over taps × input words. A workgroup
// owns a tile of DOWN · ROWS pixels by ACROSS · WORDS output words and takes the sum in chunks of QUADS
// vec4 of x and four times as many patches of the filter, which it stages in workgroup memory while the
// next ones are on their way in registers. Taps outside the picture are the zero point's bytes, as
// there; past the end of the sum the filter holds 0. An invocation's pixels and words lie DOWN and
// ACROSS apart, so neighbours read and write neighbouring words. Where the sum is cut into parts, a row of
// results is one of one part: those of the first part come first.
//
// Needs lib/window.wgsl, lib/taps.wgsl, lib/quads_i8.wgsl, lib/dot4.wgsl, a lib/share_*.wgsl, a lib/store_*.wgsl,
// `params` with the sizes of a convolution, of its tiles, and padWord, and the bindings `x`, `quads` and `filters`.

// What a workgroup has to do.
struct Share {
  tile: u32,   // past the last one: nothing
  first: u32,  // chunk of the sum
  chunks: u32,
  part: u32,
}

const THREADS = ${DOWN * ACROSS}u;
const TILE_PIXELS = ${DOWN * ROWS}u;
const TILE_WORDS = ${ACROSS * WORDS}u;
const CHUNK = ${4 * QUADS}u; // words
const LINE = TILE_PIXELS + 8u / ${QUADS}u; // of xs: what neighbours store at once lies in different banks

var<workgroup> xs: array<vec4u, ${QUADS * DOWN * ROWS + 8}>;         // (QUADS, LINE)
var<workgroup> fs: array<vec4u, ${4 * QUADS * ACROSS * WORDS}>;      // (CHUNK, TILE_WORDS)

@compute @workgroup_size(${ACROSS}, ${DOWN})
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let share = shareOf(id.y * groups.x + id.x);
  let tileRow = share.tile / params.tilesWide;
  let tileColumn = share.tile - tileRow * params.tilesWide;
  let pixel = tileRow * TILE_PIXELS;
  if (pixel >= params.pixels) { return; }
  let group = tileColumn / params.groupTiles;
  let word = (tileColumn - group * params.groupTiles) * TILE_WORDS; // of the group

  // What this invocation stages: one quad of X_LOADS pixels, and F_LOADS patches.
  let quad = index % ${QUADS}u;
  let line = index / ${QUADS}u;
  let first = i32(group * params.groupWords);
  $for l in X_LOADS
  let line${l} = line + ${l}u * (THREADS / ${QUADS}u);
  var corner${l} = corner(pixel + line${l});
  corner${l}.at += first;
  $end
  var tap = tapAt(share.first * CHUNK + 4u * quad);
  let step = tapAt(CHUNK);
  var cursor = (tileColumn * params.chunks + share.first) * (CHUNK * TILE_WORDS) + index;
  $for l in X_LOADS
  var nextX${l} = quadAt(corner${l}, tap);
  $end
  $for l in F_LOADS
  var nextF${l} = filters[cursor + ${l}u * THREADS];
  $end

  $for r in ROWS
  $for n in WORDS
  var sums${r}_${n} = Sums();
  var acc${r}_${n} = vec4i();
  $end
  $end
  for (var chunk = 0u; chunk < share.chunks; chunk++) {
    $for l in X_LOADS
    xs[quad * LINE + line${l}] = nextX${l};
    $end
    $for l in F_LOADS
    fs[index + ${l}u * THREADS] = nextF${l};
    $end
    workgroupBarrier(); // publishes xs and fs of this chunk
    tap = advance(tap, step);
    cursor += CHUNK * TILE_WORDS;
    $for l in X_LOADS
    nextX${l} = quadAt(corner${l}, tap);
    $end
    $for l in F_LOADS
    nextF${l} = filters[cursor + ${l}u * THREADS];
    $end
    for (var k = 0u; k < CHUNK; k++) {
      $for n in WORDS
      let f${n} = patchOf(fs[k * TILE_WORDS + local.x + ${n * ACROSS}u]);
      $end
      $for r in ROWS
      let x${r} = take(xs[(k >> 2u) * LINE + local.y + ${r * DOWN}u][k & 3u]);
      $for n in WORDS
      sums${r}_${n} = addDots(sums${r}_${n}, f${n}, x${r});
      $end
      $end
    }
    if (CHUNKED) {
      $for r in ROWS
      $for n in WORDS
      acc${r}_${n} += total(sums${r}_${n});
      sums${r}_${n} = Sums();
      $end
      $end
    }
    workgroupBarrier(); // publishes that xs and fs are read and may be overwritten
  }

  $for n in WORDS
  let column${n} = word + local.x + ${n * ACROSS}u;
  if (column${n} < params.groupOuts) {
    let word${n} = group * params.groupOuts + column${n};
    let constants${n} = columnOf(word${n});
    $for r in ROWS
    let pixel${n}_${r} = pixel + local.y + ${r * DOWN}u;
    if (pixel${n}_${r} < params.pixels) {
      storeSums(share.part * params.pixels + pixel${n}_${r}, word${n}, acc${r}_${n}, sums${r}_${n}, constants${n});
    }
    $end
  }
  $end
}
