// use lib/channel_rows.wgsl
// use lib/batch_norm.wgsl
//
// out[split, word] = (Σ g, Σ g · (x − centre)) over a part of the rows, g = dY where low < y < high, else 0
//                                                                               docs/quantization.md (71)
//
// y is computed again, as batch_norm_f32 did. batch_norm_parameters_grad_f32 joins the parts.

struct Params {
  rows: u32,
  words: u32,  // of a row: channels / 4
  tiles: u32,  // words / WIDE, rounded up
  share: u32,  // rows of a part
  groups: u32, // tiles · splits
  low: f32,
  high: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;  // (rows, words)
@group(0) @binding(2) var<storage, read> x: array<vec4f>;         // (rows, words)
@group(0) @binding(3) var<storage, read> facts: array<vec4f>;     // (words, FACTS)
@group(0) @binding(4) var<storage, read_write> out: array<vec4f>; // (splits, words, 2)

var<workgroup> plain: array<vec4f, WORKGROUP>;
var<workgroup> weighted: array<vec4f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = group.y * groups.x + group.x;
  if (index >= params.groups) { return; }
  let part = partOf(local, index, params.tiles);
  let isReal = part.word < params.words;
  let at = select(0u, part.word, isReal) * FACTS;
  let centre = facts[at];
  let factor = facts[at + 1u];
  let bias = facts[at + 2u];
  var total = vec4f(0);
  var moment = vec4f(0);
  let end = select(0u, min(params.rows, (part.split + 1u) * params.share), isReal);
  var row = part.split * params.share + part.lane;
  while (row < end) {
    var blockTotal = vec4f(0);
    var blockMoment = vec4f(0);
    for (var count = 0u; count < BLOCK && row < end; count++) {
      let i = row * params.words + part.word;
      let d = x[i] - centre;
      let y = d * factor + bias;
      let g = select(vec4f(0), gradient[i], (y > vec4f(params.low)) & (y < vec4f(params.high)));
      blockTotal += g;
      blockMoment += g * d;
      row += part.lanes;
    }
    total += blockTotal;
    moment += blockMoment;
  }
  plain[local] = total;
  weighted[local] = moment;
  workgroupBarrier(); // publishes plain and weighted, each slot written by its own invocation
  for (var half = WORKGROUP / 2u; half >= WIDE; half /= 2u) {
    if (local < half) {
      plain[local] += plain[local + half];
      weighted[local] += weighted[local + half];
    }
    workgroupBarrier(); // publishes the first half
  }
  if (local < WIDE && isReal) {
    let to = (part.split * params.words + part.word) * 2u;
    out[to] = plain[local];
    out[to + 1u] = weighted[local];
  }
}
