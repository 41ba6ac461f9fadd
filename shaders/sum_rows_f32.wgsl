// use lib/channel_rows.wgsl
//
// out[split, word] = Σ x · scale over a part of the rows
//
// For sums over all axes but the last: with one part it is the whole sum, with more they are summed as rows once more.

struct Params {
  rows: u32,
  words: u32,  // of a row
  last: u32,   // its elements, padding excluded
  tiles: u32,  // words / WIDE, rounded up
  share: u32,  // rows of a part
  groups: u32, // tiles · splits
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (rows, words)
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>; // (splits, words)

var<workgroup> partial: array<vec4f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = group.y * groups.x + group.x;
  if (index >= params.groups) { return; }
  let part = partOf(local, index, params.tiles);
  let isReal = part.word < params.words;
  var total = vec4f(0);
  let end = select(0u, min(params.rows, (part.split + 1u) * params.share), isReal);
  var row = part.split * params.share + part.lane;
  while (row < end) {
    var sum = vec4f(0);
    for (var count = 0u; count < BLOCK && row < end; count++) {
      sum += x[row * params.words + part.word];
      row += part.lanes;
    }
    total += sum;
  }
  partial[local] = total;
  workgroupBarrier(); // publishes partial, each slot written by its own invocation
  for (var half = WORKGROUP / 2u; half >= WIDE; half /= 2u) {
    if (local < half) { partial[local] += partial[local + half]; }
    workgroupBarrier(); // publishes the first half
  }
  if (local < WIDE && isReal) {
    let real = part.word * 4u + vec4u(0, 1, 2, 3) < vec4u(params.last);
    out[part.split * params.words + part.word] = select(vec4f(0), partial[local] * params.scale, real);
  }
}
