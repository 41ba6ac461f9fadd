// use lib/grid.wgsl
// tile ROWS = 2
// tile COLUMNS = 2
// tile KERNEL_HEIGHT = 3
// tile KERNEL_WIDTH = 3
// tile STRIDE_HEIGHT = 2
// tile STRIDE_WIDTH = 2
// tile REACH_HEIGHT = 2  ⌈KERNEL / STRIDE⌉
// tile REACH_WIDTH = 2
// tile PATCH_HEIGHT = 3  ROWS + REACH − 1
// tile PATCH_WIDTH = 3
//
// out[b, y, x, c] = Σ dY[b, i, j, c] · filter[tap, c],  tap = (y + padTop − i · stride, x + padLeft − j · stride)     docs/quantization.md (90)
//
// ConvTranspose of one filter a channel where it strides, all phases at once. A cell is stride × stride places of out, whose
// first taps meet the same dY. An invocation owns one word of ROWS × COLUMNS cells and keeps the PATCH of dY that they
// read in registers: with the dY row m before its own, a cell's row t has tap t + m · stride. No dilation.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32,       // tiles: batch · rowTiles · columnTiles · words
  rowTiles: u32,    // of cells
  columnTiles: u32,
  height: u32,      // of dY
  width: u32,
  words: u32,       // channels / 4
  outHeight: u32,
  outWidth: u32,
  padTop: u32,
  padLeft: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // dY (batch, height, width, words)
@group(0) @binding(2) var<storage, read> filters: array<vec4f>;   // (words, taps)
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>; // (batch, outHeight, outWidth, words)

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
  let taps = word * ${KERNEL_HEIGHT * KERNEL_WIDTH}u;
  // Past the last tap anything: not used.
  $for m in REACH_HEIGHT
  $for t in STRIDE_HEIGHT
  $for n in REACH_WIDTH
  $for u in STRIDE_WIDTH
  let f${m * STRIDE_HEIGHT + t}_${n * STRIDE_WIDTH + u} = filters[taps + ${m * STRIDE_HEIGHT * KERNEL_WIDTH + t * KERNEL_WIDTH + n * STRIDE_WIDTH + u}u];
  $end
  $end
  $end
  $end
  // The patch and the cells are numbered from the last row and column back: cell r reads rows r … r + REACH − 1.
  let width = params.width;
  $for j in PATCH_WIDTH
  let column${j} = column + ${COLUMNS}u - ${1 + j}u; // wraps below 0: then not < width
  let inside${j} = column${j} < width;
  $end
  $for i in PATCH_HEIGHT
  let row${i} = row + ${ROWS}u - ${1 + i}u;
  let has${i} = row${i} < params.height;
  let line${i} = (image * params.height + row${i}) * width;
  $for j in PATCH_WIDTH
  let x${i}_${j} = select(vec4f(0), x[(line${i} + column${j}) * words + word], has${i} && inside${j});
  $end
  $end
  let outHeight = params.outHeight;
  let outWidth = params.outWidth;
  $for r in ROWS
  $for c in COLUMNS
  $for t in STRIDE_HEIGHT
  $for u in STRIDE_WIDTH
  var sum${r}_${c}_${t}_${u} = vec4f();
  $for m in REACH_HEIGHT
  $for n in REACH_WIDTH
  if (${m * STRIDE_HEIGHT + t}u < ${KERNEL_HEIGHT}u && ${n * STRIDE_WIDTH + u}u < ${KERNEL_WIDTH}u) {
    sum${r}_${c}_${t}_${u} += x${r + m}_${c + n} * f${m * STRIDE_HEIGHT + t}_${n * STRIDE_WIDTH + u};
  }
  $end
  $end
  let y${r}_${c}_${t}_${u} = row${r} * ${STRIDE_HEIGHT}u + ${t}u - params.padTop; // wraps below 0
  let x${r}_${c}_${t}_${u} = column${c} * ${STRIDE_WIDTH}u + ${u}u - params.padLeft;
  if (y${r}_${c}_${t}_${u} < outHeight && x${r}_${c}_${t}_${u} < outWidth) {
    out[((image * outHeight + y${r}_${c}_${t}_${u}) * outWidth + x${r}_${c}_${t}_${u}) * words + word] = sum${r}_${c}_${t}_${u};
  }
  $end
  $end
  $end
  $end
}
