// use lib/channel_rows.wgsl
// use lib/moments.wgsl
//
// out[split, word] = (mean, Σ (x − mean)²) of a part of the rows, channel by channel    docs/quantization.md (70)
//
// In a block of rows the sums are of distances from the block's first row, so they keep their digits however far
// from 0 a channel lies. batch_norm_statistics_f32 joins the parts.

struct Params {
  rows: u32,
  words: u32, // of a row: channels / 4
  tiles: u32, // words / WIDE, rounded up
  share: u32, // rows of a part
  groups: u32, // tiles · splits
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (rows, words)
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>; // (splits, words, 2)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = group.y * groups.x + group.x;
  if (index >= params.groups) { return; }
  let part = partOf(local, index, params.tiles);
  let isReal = part.word < params.words;
  var total = Moments(vec4f(0), vec4f(0), 0.0);
  let end = select(0u, min(params.rows, (part.split + 1u) * params.share), isReal);
  var row = part.split * params.share + part.lane;
  while (row < end) {
    let shift = x[row * params.words + part.word];
    var sum = vec4f(0);
    var squares = vec4f(0);
    var count = 0u;
    for (; count < BLOCK && row < end; count++) {
      let d = x[row * params.words + part.word] - shift;
      sum += d;
      squares += d * d;
      row += part.lanes;
    }
    total = joined(total, momentsOf(shift, sum, squares, f32(count)));
  }
  total = joinLanes(local, total);
  if (local < WIDE && isReal) {
    let at = (part.split * params.words + part.word) * 2u;
    out[at] = total.mean;
    out[at + 1u] = total.squares;
  }
}
