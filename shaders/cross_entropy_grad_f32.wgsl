// use lib/grid.wgsl
// use lib/cross_entropy.wgsl
//
// out[row, c] = dY[row] · (exp(x − max) / Σ exp(x − max) − target)          docs/quantization.md (76)
//
// and 0 for a row that is not counted. An invocation owns a row of out; padding lanes become 0.

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (rows, words): logits
@group(0) @binding(2) var<storage, read> labels: array<i32>;      // (rows)
@group(0) @binding(3) var<storage, read> gradient: array<f32>;    // (rows): dY
@group(0) @binding(4) var<storage, read_write> out: array<vec4f>; // (rows, words)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = flatIndex(id, groups, WORKGROUP);
  if (row >= params.count) { return; }
  let base = row * params.words;
  let label = labels[row];
  let counts = label >= 0 && label < i32(params.last);
  let dY = select(0.0, gradient[row], counts);
  let total = totalOf(base);
  for (var i = 0u; i < params.words; i++) {
    let classes = i * 4u + vec4u(0, 1, 2, 3);
    let own = select(vec4f(0), vec4f(params.share), classes == vec4u(u32(label)));
    let softmax = exp(x[base + i] - total.greatest) / total.sum;
    out[base + i] = select(vec4f(0), dY * (softmax - (own + params.spread)), isReal(i) & vec4<bool>(counts));
  }
}
