// use lib/grid.wgsl
// use lib/dot4.wgsl
// use lib/requantize.wgsl
// use lib/real_sum.wgsl
// use lib/bounds_i8.wgsl
// tile ROWS = 2
// tile COLUMNS = 4
// tile KERNEL_HEIGHT = 3
// tile KERNEL_WIDTH = 3
// tile STRIDE_HEIGHT = 1
// tile STRIDE_WIDTH = 1
// tile PATCH_HEIGHT = 4
// tile PATCH_WIDTH = 6
//
// out[p, c] = requantize(bias[c] + Σ_taps x[window(p, tap), c] · filter[tap, c])
//                                                              docs/quantization.md (25), (29)
//
// NHWC, four int8 channels a word; one filter a channel, so lanes multiply lane by lane. x's zero
// point is folded into bias, hence taps outside the picture read its bytes.
// An invocation owns one word of ROWS × COLUMNS pixels: windows overlap, so the PATCH of x that they
// cover, (ROWS − 1) · STRIDE + KERNEL a side, is loaded once and kept in registers. No dilation.

override WORKGROUP: u32 = 64;
override WIDE: bool = false; // |acc| may pass 2²⁴: docs/quantization.md (33)
override OFFSETS: bool = false; // a channel's weights are the filter's and an offset, which lies behind the biases

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
  padWord: u32,     // x's zero point, four times
  zeroPoint: i32,   // of out
  low: i32,         // least and greatest value of out, after the fused activation
  high: i32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;            // (batch, inHeight, inWidth, words)
@group(0) @binding(2) var<storage, read> filters: array<u32>;      // (words, taps)
@group(0) @binding(3) var<storage, read> bias: array<vec4i>;       // (words), then with OFFSETS theirs
@group(0) @binding(4) var<storage, read> multiplier: array<vec4f>; // (words), then what real_sum.wgsl and bounds_i8.wgsl say
@group(0) @binding(5) var<storage, read_write> out: array<u32>;    // (batch, outHeight, outWidth, words)

// As storeSums of lib/store_i8.wgsl: few taps never pass 2²⁴ without the bias.
fn finish(at: u32, sums: Sums, bias: vec4i, b: vec4f, m: vec4f, r: Rounding) {
  var real = realTotal(sums) + vec4f(bias);
  if (WIDE || FLOAT_BIAS) { real = realSum(bias + total(sums), b); }
  out[at] = pack(requantize(real, m, r));
}

fn withOffset(f: Sums, word: u32) -> Sums {
  if (!OFFSETS) { return f; }
  return f + spreadLanes(bias[params.words + word]);
}

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
  let f${ky}_${kx} = withOffset(spread(filters[taps + ${ky * KERNEL_WIDTH + kx}u]), word);
  $end
  $end
  let padWord = params.padWord;
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
  let x${i}_${j} = spread(select(padWord, x[(line${i} + column${j}) * words + word], has${i} && inside${j}));
  $end
  $end
  let outHeight = params.outHeight;
  let outWidth = params.outWidth;
  let outLine = (image * outHeight + row) * outWidth + column;
  let r = roundingOf(word, words);
  let bias0 = bias[word];
  let b = floatBias(word, words);
  let m = multiplier[word];
  $for r in ROWS
  $for c in COLUMNS
  if (row + ${r}u < outHeight && column + ${c}u < outWidth) {
    let sums0 = Sums();
    $for ky in KERNEL_HEIGHT
    $for kx in KERNEL_WIDTH
    let sums${ky * KERNEL_WIDTH + kx + 1} = sums${ky * KERNEL_WIDTH + kx} + x${r * STRIDE_HEIGHT + ky}_${c * STRIDE_WIDTH + kx} * f${ky}_${kx};
    $end
    $end
    let at = (outLine + ${r}u * outWidth + ${c}u) * words + word;
    finish(at, sums${KERNEL_HEIGHT * KERNEL_WIDTH}, bias0, b, m, r);
  }
  $end
  $end
}
