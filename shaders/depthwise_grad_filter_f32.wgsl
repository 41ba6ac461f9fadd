// use lib/grid.wgsl
// tile ROWS = 2
// tile COLUMNS = 4
// tile KERNEL_HEIGHT = 3
// tile KERNEL_WIDTH = 3
// tile STRIDE_HEIGHT = 1
// tile STRIDE_WIDTH = 1
// tile PATCH_HEIGHT = 4
// tile PATCH_WIDTH = 6
//
// out[part, tap, c] = Σ_p dY[p, c] · x[window(p, tap), c], p of one slice of the pixels     docs/quantization.md (91)
//
// One filter a channel, four channels a vec4. An invocation owns every tap of one word and walks tiles of ROWS × COLUMNS
// pixels: the PATCH of x under one is loaded once, as in lib/depthwise_tile_f32.wgsl. sum_parts_f32.wgsl adds the
// slices up in their order. No dilation.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32,       // words · slices
  tiles: u32,       // batch · rowTiles · columnTiles
  slice: u32,       // tiles
  rowTiles: u32,
  columnTiles: u32,
  outHeight: u32,
  outWidth: u32,
  words: u32,       // channels / 4
  inHeight: u32,
  inWidth: u32,
  padTop: u32,
  padLeft: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (batch, inHeight, inWidth, words)
@group(0) @binding(2) var<storage, read> gradient: array<vec4f>;  // dY (batch, outHeight, outWidth, words)
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>; // (slices, taps, words)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let words = params.words;
  let part = index / words;
  let word = index - part * words;
  let outHeight = params.outHeight;
  let outWidth = params.outWidth;
  let height = params.inHeight;
  let width = params.inWidth;
  $for ky in KERNEL_HEIGHT
  $for kx in KERNEL_WIDTH
  var sum${ky}_${kx} = vec4f();
  $end
  $end
  let end = min((part + 1u) * params.slice, params.tiles);
  for (var tile = part * params.slice; tile < end; tile++) {
    let line = tile / params.columnTiles;
    let column = (tile - line * params.columnTiles) * ${COLUMNS}u;
    let image = line / params.rowTiles;
    let row = (line - image * params.rowTiles) * ${ROWS}u;
    let top = row * ${STRIDE_HEIGHT}u - params.padTop;    // wraps below 0: then not < inHeight
    let left = column * ${STRIDE_WIDTH}u - params.padLeft;
    $for j in PATCH_WIDTH
    let column${j} = left + ${j}u;
    let inside${j} = column${j} < width;
    $end
    $for i in PATCH_HEIGHT
    let row${i} = top + ${i}u;
    let has${i} = row${i} < height;
    let line${i} = (image * height + row${i}) * width;
    $for j in PATCH_WIDTH
    let x${i}_${j} = select(vec4f(0), x[(line${i} + column${j}) * words + word], has${i} && inside${j});
    $end
    $end
    let outLine = (image * outHeight + row) * outWidth + column;
    $for r in ROWS
    $for c in COLUMNS
    let real${r}_${c} = row + ${r}u < outHeight && column + ${c}u < outWidth;
    let y${r}_${c} = select(vec4f(0), gradient[(outLine + ${r}u * outWidth + ${c}u) * words + word], real${r}_${c});
    $end
    $end
    $for ky in KERNEL_HEIGHT
    $for kx in KERNEL_WIDTH
    $for r in ROWS
    $for c in COLUMNS
    sum${ky}_${kx} += x${r * STRIDE_HEIGHT + ky}_${c * STRIDE_WIDTH + kx} * y${r}_${c};
    $end
    $end
    $end
    $end
  }
  let base = part * ${KERNEL_HEIGHT * KERNEL_WIDTH}u * words + word;
  $for ky in KERNEL_HEIGHT
  $for kx in KERNEL_WIDTH
  out[base + ${ky * KERNEL_WIDTH + kx}u * words] = sum${ky}_${kx};
  $end
  $end
}
