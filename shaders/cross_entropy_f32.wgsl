// use lib/grid.wgsl
// use lib/cross_entropy.wgsl
//
// out[row] = log Σ exp(x − max) − Σ target · (x − max)          docs/quantization.md (75)
//
// and 0 for a row that is not counted. An invocation owns a row; one past the last writes the padding, 0.

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;                // (rows, words): logits
@group(0) @binding(2) var<storage, read> labels: array<i32>;             // (rows)
@group(0) @binding(3) var<storage, read_write> slot: array<atomic<i32>>; // least and greatest bad label
@group(0) @binding(4) var<storage, read_write> out: array<f32>;          // (rows), to a whole word

fn noteBad(label: i32) {
  atomicMin(&slot[0], label);
  atomicMax(&slot[1], label);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = flatIndex(id, groups, WORKGROUP);
  if (row >= params.room) { return; }
  var loss = 0.0;
  if (row < params.count) {
    let label = labels[row];
    if (label != IGNORED && (label < 0 || label >= i32(params.last))) { noteBad(label); }
    if (label >= 0 && label < i32(params.last)) {
      let base = row * params.words;
      let total = totalOf(base);
      var sum = vec4f(0); // of x − max over all classes
      for (var i = 0u; i < params.words; i++) {
        sum += select(vec4f(0), x[base + i] - total.greatest, isReal(i));
      }
      let own = x[base + u32(label) / 4u][u32(label) % 4u] - total.greatest;
      loss = log(total.sum) - params.share * own;
      if (params.spread > 0.0) { loss -= params.spread * lanesSum(sum); }
    }
  }
  out[row] = loss;
}
