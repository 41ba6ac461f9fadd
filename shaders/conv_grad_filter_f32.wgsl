// use lib/grid.wgsl
// use lib/pixels.wgsl
// tile OUTS = 2     output words of an invocation
// tile COLUMNS = 4  columns of an invocation
// tile FOUR = 4
//
// out[part, o, (tap, c)] = Σ_p dY[p, o] · x[window(p, tap), c], p of one slice of the pixels     docs/quantization.md (91)
//
// A product of dYᵀ by the windows of x, its columns the taps × input words of a group, its sum over pixels, cut
// into slices that sum_parts_f32.wgsl adds up in their order. An invocation owns OUTS words of output channels by
// COLUMNS columns, and keeps their sums in registers; of four pixels at a time it makes 4 × 4 · 4 × 4 products.
// A group's channels are whole words. Taps outside the picture add 0.

override WORKGROUP: u32 = 64;
override POINTWISE: bool = false; // 1 × 1, stride 1, no pads: out pixel p reads in pixel p

struct Params {
  count: u32,       // tiles · slices
  tiles: u32,       // groups · outTiles · columnTiles
  columnTiles: u32, // of one group
  outTiles: u32,    // of one group
  columns: u32,     // taps · groupWords
  slice: u32,       // pixels, a multiple of 4
  pixels: u32,      // batch · outHeight · outWidth
  outHeight: u32,
  outWidth: u32,
  outWords: u32,    // output channels / 4
  inHeight: u32,
  inWidth: u32,
  inWords: u32,     // input channels / 4
  groupWords: u32,  // input words of one group
  groupOuts: u32,   // output words of one group
  kernelWidth: u32,
  strideHeight: u32,
  strideWidth: u32,
  dilationHeight: u32,
  dilationWidth: u32,
  padTop: u32,
  padLeft: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (batch, inHeight, inWidth, inWords)
@group(0) @binding(2) var<storage, read> gradient: array<vec4f>;  // dY (pixels, outWords)
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>; // (slices, 4 · outWords, columns)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let part = index / params.tiles;
  let tile = index - part * params.tiles;
  let outTile = tile / params.columnTiles;
  let column = (tile - outTile * params.columnTiles) * ${COLUMNS}u;
  let group = outTile / params.outTiles;
  let first = (outTile - group * params.outTiles) * ${OUTS}u; // output word of the group
  let outWords = params.outWords;
  let columns = params.columns;
  // Past the last word or column: the last one again, not stored.
  $for o in OUTS
  let word${o} = group * params.groupOuts + min(first + ${o}u, params.groupOuts - 1u);
  $end
  $for c in COLUMNS
  let column${c} = min(column + ${c}u, columns - 1u);
  let tap${c} = column${c} / params.groupWords;
  let ky${c} = tap${c} / params.kernelWidth;
  let dy${c} = i32(ky${c} * params.dilationHeight);
  let dx${c} = i32((tap${c} - ky${c} * params.kernelWidth) * params.dilationWidth);
  let delta${c} = (dy${c} * i32(params.inWidth) + dx${c}) * i32(params.inWords)
    + i32(group * params.groupWords + column${c} - tap${c} * params.groupWords);
  $for o in OUTS
  $for l in FOUR
  var sum${o}_${l}_${c} = vec4f(); // of output lane l, component = input lane
  $end
  $end
  $end
  let start = part * params.slice;
  let end = min(start + params.slice, params.pixels);
  let last = params.pixels - 1u;
  let four = pixelAt(4u);
  $for j in FOUR
  var pixel${j} = pixelAt(min(start + ${j}u, last));
  $end
  for (var p = start; p < end; p += 4u) {
    $for j in FOUR
    let at${j} = min(p + ${j}u, last);
    let real${j} = p + ${j}u < end;
    let corner${j} = cornerOf(pixel${j});
    pixel${j} = pixelAfter(pixel${j}, four);
    $for c in COLUMNS
    let inside${j}_${c} = real${j} && (POINTWISE || isInside(corner${j}, dy${c}, dx${c}));
    let x${j}_${c} = select(vec4f(), x[u32(select(corner${j}.at, i32(at${j} * params.inWords), POINTWISE) + delta${c})], inside${j}_${c});
    $end
    $end
    $for o in OUTS
    $for j in FOUR
    let y${j}_${o} = gradient[at${j} * outWords + word${o}];
    $end
    let lanes${o} = transpose(mat4x4f(y0_${o}, y1_${o}, y2_${o}, y3_${o}));
    $end
    $for c in COLUMNS
    let patch${c} = mat4x4f(x0_${c}, x1_${c}, x2_${c}, x3_${c});
    $for o in OUTS
    $for l in FOUR
    sum${o}_${l}_${c} += patch${c} * lanes${o}[${l}];
    $end
    $end
    $end
  }
  let base = part * outWords * 4u;
  $for o in OUTS
  if (first + ${o}u < params.groupOuts) {
    $for c in COLUMNS
    if (column + ${c}u < columns) {
      $for l in FOUR
      out[(base + word${o} * 4u + ${l}u) * columns + column${c}] = sum${o}_${l}_${c};
      $end
    }
    $end
  }
  $end
}
