// use lib/grid.wgsl
// use lib/dot4.wgsl
// tile ROWS = 2
// tile COLUMNS = 4
// tile KERNEL_HEIGHT = 3
// tile KERNEL_WIDTH = 3
// tile STRIDE_HEIGHT = 1
// tile STRIDE_WIDTH = 1
// tile PATCH_HEIGHT = 4
// tile PATCH_WIDTH = 6
//
// out[p, c] = Σ_taps (x[window(p, tap), c] − zeroPoint) · filter[tap, c], exact modulo 2³²
//                                                                           docs/quantization.md (24)
//
// depthwise_i32.wgsl in tiles, as depthwise_tile_i8.wgsl: an invocation owns one word of ROWS × COLUMNS pixels and keeps
// the PATCH of x that their windows cover in registers. No dilation.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32,       // tiles: batch · rowTiles · columnTiles · words
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
@group(0) @binding(1) var<storage, read> x: array<u32>;           // (batch, inHeight, inWidth, words)
@group(0) @binding(2) var<storage, read> filters: array<vec4i>;   // (words, taps)
@group(0) @binding(3) var<storage, read> zeroPoint: array<u32>;   // (1) stored byte
@group(0) @binding(4) var<storage, read_write> out: array<vec4i>; // (batch, outHeight, outWidth, words)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let words = params.words;
  let tile = index / words;
  let word = index - tile * words;
  let line = tile / params.columnTiles;
  let column = (tile - line * params.columnTiles) * ${COLUMNS}u;
  let image = line / params.rowTiles;
  let row = (line - image * params.rowTiles) * ${ROWS}u;
  let top = row * ${STRIDE_HEIGHT}u - params.padTop;    // wraps below 0: then not < inHeight
  let left = column * ${STRIDE_WIDTH}u - params.padLeft;
  let taps = word * ${KERNEL_HEIGHT * KERNEL_WIDTH}u;
  $for ky in KERNEL_HEIGHT
  $for kx in KERNEL_WIDTH
  let f${ky}_${kx} = filters[taps + ${ky * KERNEL_WIDTH + kx}u];
  $end
  $end
  let padWord = (zeroPoint[0] & 255u) * 0x01010101u; // real 0
  let zero = lanes(padWord);
  let height = params.inHeight;
  let width = params.inWidth;
  $for j in PATCH_WIDTH
  let column${j} = left + ${j}u;
  let inside${j} = column${j} < width;
  $end
  $for i in PATCH_HEIGHT
  let row${i} = top + ${i}u;
  let has${i} = row${i} < height;
  let line${i} = (image * height + row${i}) * width;
  $for j in PATCH_WIDTH
  let x${i}_${j} = lanes(select(padWord, x[(line${i} + column${j}) * words + word], has${i} && inside${j})) - zero;
  $end
  $end
  let outHeight = params.outHeight;
  let outWidth = params.outWidth;
  let outLine = (image * outHeight + row) * outWidth + column;
  $for r in ROWS
  $for c in COLUMNS
  if (row + ${r}u < outHeight && column + ${c}u < outWidth) {
    let sums0 = vec4i();
    $for ky in KERNEL_HEIGHT
    $for kx in KERNEL_WIDTH
    let sums${ky * KERNEL_WIDTH + kx + 1} = sums${ky * KERNEL_WIDTH + kx} + x${r * STRIDE_HEIGHT + ky}_${c * STRIDE_WIDTH + kx} * f${ky}_${kx};
    $end
    $end
    let at = (outLine + ${r}u * outWidth + ${c}u) * words + word;
    out[at] = sums${KERNEL_HEIGHT * KERNEL_WIDTH};
  }
  $end
  $end
}
