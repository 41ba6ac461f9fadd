// use lib/channel_rows.wgsl
// use lib/moments.wgsl
// use lib/batch_norm.wgsl
//
// outMean, outVariance of x / divisor, and out = the facts of lib/batch_norm.wgsl    docs/quantization.md (70)
//
// The second half of the reduction: the parts that batch_norm_moments_f32 made are joined in an order of their own.

struct Params {
  words: u32,  // channels / 4
  last: u32,   // channels
  splits: u32, // parts of the rows
  rows: u32,
  share: u32,  // rows of a part; the last part has the rest
  tiles: u32,  // words / WIDE, rounded up: workgroups
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> parts: array<vec4f>;   // (splits, words, 2)
@group(0) @binding(2) var<storage, read> scale: array<vec4f>;   // (words)
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;    // (words)
@group(0) @binding(4) var<storage, read> divisor: array<vec4f>; // (words)
@group(0) @binding(5) var<storage, read_write> outMean: array<vec4f>;     // (words)
@group(0) @binding(6) var<storage, read_write> outVariance: array<vec4f>; // (words)
@group(0) @binding(7) var<storage, read_write> out: array<vec4f>;         // (words, FACTS)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u) {
  let part = partOf(local, group.x, params.tiles);
  let word = part.word;
  var total = Moments(vec4f(0), vec4f(0), 0.0);
  let end = select(0u, params.splits, word < params.words);
  for (var split = part.lane; split < end; split += part.lanes) {
    let at = (split * params.words + word) * 2u;
    let count = min(params.share, params.rows - split * params.share);
    total = joined(total, Moments(parts[at], parts[at + 1u], f32(count)));
  }
  total = joinLanes(local, total);
  if (local >= WIDE || word >= params.words) { return; }
  let real = realLanes(word, params.last);
  let by = select(vec4f(1), divisor[word], real);
  let mean = select(vec4f(0), total.mean / by, real);
  let variance = select(vec4f(0), total.squares / total.count / by / by, real);
  outMean[word] = mean;
  outVariance[word] = variance;
  let facts = factsOf(scale[word], bias[word], mean, variance, by, params.epsilon, real);
  let at = word * FACTS;
  out[at] = select(vec4f(0), total.mean, real);
  out[at + 1u] = facts.factor;
  out[at + 2u] = facts.bias;
  out[at + 3u] = facts.inverse;
  out[at + 4u] = facts.steps;
}
