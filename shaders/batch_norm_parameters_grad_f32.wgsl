// use lib/channel_rows.wgsl
// use lib/batch_norm.wgsl
//
// outBias = Σ g; outScale = Σ g · (x − centre) · steps; outDivisor = −factor · inverse · epsilon · outScale;
// out = (outBias · mean, outScale · steps · mean), mean = 1 / rows, 0 where frozen    docs/quantization.md (71)
//
// The second half of the reduction that batch_norm_sums_f32 began.

struct Params {
  words: u32,  // channels / 4
  last: u32,   // channels
  splits: u32, // parts of the rows
  tiles: u32,  // words / WIDE, rounded up: workgroups
  mean: f32,   // 1 / rows; 0 where the statistics do not depend on x
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> parts: array<vec4f>; // (splits, words, 2)
@group(0) @binding(2) var<storage, read> facts: array<vec4f>; // (words, FACTS)
@group(0) @binding(3) var<storage, read_write> outScale: array<vec4f>;   // (words)
@group(0) @binding(4) var<storage, read_write> outBias: array<vec4f>;    // (words)
@group(0) @binding(5) var<storage, read_write> outDivisor: array<vec4f>; // (words)
@group(0) @binding(6) var<storage, read_write> out: array<vec4f>;        // (words, 2)

var<workgroup> plain: array<vec4f, WORKGROUP>;
var<workgroup> weighted: array<vec4f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u) {
  let part = partOf(local, group.x, params.tiles);
  let word = part.word;
  var total = vec4f(0);
  var moment = vec4f(0);
  let end = select(0u, params.splits, word < params.words);
  for (var split = part.lane; split < end; split += part.lanes) {
    let at = (split * params.words + word) * 2u;
    total += parts[at];
    moment += parts[at + 1u];
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
  if (local >= WIDE || word >= params.words) { return; }
  let at = word * FACTS;
  let steps = facts[at + 4u];
  let real = realLanes(word, params.last);
  let dBias = select(vec4f(0), plain[local], real);
  let dScale = select(vec4f(0), weighted[local] * steps, real);
  outBias[word] = dBias;
  outScale[word] = dScale;
  outDivisor[word] = -facts[at + 1u] * facts[at + 3u] * params.epsilon * dScale;
  out[word * 2u] = dBias * params.mean;
  out[word * 2u + 1u] = dScale * steps * params.mean;
}
