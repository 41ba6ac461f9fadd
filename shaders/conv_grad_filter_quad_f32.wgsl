// use lib/grid.wgsl
// use lib/pixels.wgsl
// tile OUTS = 1     output words of an invocation
// tile COLUMNS = 4  columns of a quad
// tile FOUR = 4
//
// out[part, o, (tap, c)] = Σ_p dY[p, o] · x[window(p, tap), c], p of one slice of the pixels     docs/quantization.md (91)
//
// conv_grad_filter_f32.wgsl's product by quads, as conv_quad_f32.wgsl: four invocations share COLUMNS columns and own
// OUTS output words each. Of four pixels at a time each loads the windows of one; these go round the quad by swaps.
// Needs quads that are four consecutive invocations of the workgroup.

enable subgroups;

override WORKGROUP: u32 = 64;
override POINTWISE: bool = false; // as conv_grad_filter_f32.wgsl

struct Params {
  count: u32,       // quads: tiles · slices
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
  let lane = index % 4u;
  let quad = min(index / 4u, params.count - 1u); // past the last quad: it again, not stored; lanes stay together
  let part = quad / params.tiles;
  let tile = quad - part * params.tiles;
  let outTile = tile / params.columnTiles;
  let column = (tile - outTile * params.columnTiles) * ${COLUMNS}u;
  let group = outTile / params.outTiles;
  let first = ((outTile - group * params.outTiles) * 4u + lane) * ${OUTS}u; // output word of the group
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
  var pixel = pixelAt(min(start + lane, last));
  for (var step = 0u; step < params.slice; step += 4u) { // as many for every quad: swaps ask for that
    let p = start + step;
    let real = p + lane < end;
    let corner = cornerOf(pixel);
    pixel = pixelAfter(pixel, four);
    let at = select(corner.at, i32(min(p + lane, last) * params.inWords), POINTWISE);
    $for o in OUTS
    $for s in FOUR
    let y${s}_${o} = gradient[min(p + (lane ^ ${s}u), last) * outWords + word${o}];
    $end
    let lanes${o} = transpose(mat4x4f(y0_${o}, y1_${o}, y2_${o}, y3_${o}));
    $end
    $for c in COLUMNS
    let inside${c} = real && (POINTWISE || isInside(corner, dy${c}, dx${c}));
    let x0_${c} = select(vec4f(), x[u32(at + delta${c})], inside${c});
    let patch${c} = mat4x4f(x0_${c}, quadSwapX(x0_${c}), quadSwapY(x0_${c}), quadSwapDiagonal(x0_${c}));
    $for o in OUTS
    $for l in FOUR
    sum${o}_${l}_${c} += patch${c} * lanes${o}[${l}];
    $end
    $end
    $end
  }
  if (index >= params.count * 4u) { return; }
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
