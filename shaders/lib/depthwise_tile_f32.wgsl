// out[p, c] = clamp(bias[c] + Σ_taps x[window(p, tap), c] · filter[tap, c], low, high)
//
// NHWC, four channels a vec4; one filter a channel.
// An invocation owns one word of ROWS × COLUMNS pixels: windows overlap, so the PATCH of x that they
// cover, (ROWS − 1) · STRIDE + KERNEL a side, is loaded once and kept in registers. No dilation.

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
  last: u32,        // output channels, padding excluded
  low: f32,
  high: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (batch, inHeight, inWidth, words)
@group(0) @binding(2) var<storage, read> filters: array<vec4f>;   // (words, taps)
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;      // (words), then what bounds_f32.wgsl says
@group(0) @binding(4) var<storage, read_write> out: array<vec4f>; // (batch, outHeight, outWidth, words)

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
  let x${i}_${j} = select(vec4f(0), x[(line${i} + column${j}) * words + word], has${i} && inside${j});
  $end
  $end
  let outHeight = params.outHeight;
  let outWidth = params.outWidth;
  let low = lowOf(word, words);
  let high = highOf(word, words);
  let outLine = (image * outHeight + row) * outWidth + column;
  let bias0 = bias[word];
  let least0 = NO_LEAST;
  let greatest0 = NO_GREATEST;
  $for r in ROWS
  $for c in COLUMNS
  let sums${r}_${c}_0 = bias0;
  $for ky in KERNEL_HEIGHT
  $for kx in KERNEL_WIDTH
  let sums${r}_${c}_${ky * KERNEL_WIDTH + kx + 1} = sums${r}_${c}_${ky * KERNEL_WIDTH + kx} + x${r * STRIDE_HEIGHT + ky}_${c * STRIDE_WIDTH + kx} * f${ky}_${kx};
  $end
  $end
  let y${r}_${c} = bounded(sums${r}_${c}_${KERNEL_HEIGHT * KERNEL_WIDTH}, low, high, word);
  let stored${r}_${c} = row + ${r}u < outHeight && column + ${c}u < outWidth;
  let rank${r}_${c} = rank(select(y0_0, y${r}_${c}, stored${r}_${c})); // the first is always stored
  let least${r * COLUMNS + c + 1} = seeLeast(least${r * COLUMNS + c}, rank${r}_${c});
  let greatest${r * COLUMNS + c + 1} = seeGreatest(greatest${r * COLUMNS + c}, rank${r}_${c});
  if (stored${r}_${c}) { out[(outLine + ${r}u * outWidth + ${c}u) * words + word] = y${r}_${c}; }
  $end
  $end
  publish(least${ROWS * COLUMNS}, greatest${ROWS * COLUMNS}, realLanes(word));
}
