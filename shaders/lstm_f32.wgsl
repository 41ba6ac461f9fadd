// use lib/recurrent.wgsl
// tile BATCH = 1    batch elements of a workgroup: weights are read once for all of them
//
// One LSTM direction, all steps of a dispatch (https://onnx.ai/onnx/operators/onnx__LSTM.html):
//
//   i, o, f, c' = x + R·h          x holds W·input + both biases
//   c = F(f + Pf·c) · c + F(i + Pi·c) · G(c'),   h = F(o + Po·c) · H(c)
//
// h lies twice in workgroup memory, this step's and the next one's, so one barrier a step publishes it. A
// word of c belongs to the invocation that owns the word of h. Steps past an element's length keep its
// state and write 0.

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;          // (rows, D, 4, words)
@group(0) @binding(2) var<storage, read> weights: array<mat4x4f>;  // (D, words in, 4, words out), then (D, words): Pi, Po, Pf
@group(0) @binding(3) var<storage, read> lengths: array<i32>;      // (batch), or one
@group(0) @binding(4) var<storage, read> hFrom: array<vec4f>;      // (D, batch, words)
@group(0) @binding(5) var<storage, read> cFrom: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> hOut: array<vec4f>; // (D, batch, words)
@group(0) @binding(7) var<storage, read_write> cOut: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> out: array<vec4f>;  // (time, D, batch, words)

var<workgroup> h: array<vec4f, ROOM * ${2 * BATCH}u>; // (2, BATCH, ROOM)
var<workgroup> c: array<vec4f, ROOM * ${BATCH}u>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = id.y * groups.x + id.x;
  let words = params.words;
  let own = group / params.slices;
  let direction = params.direction + own;
  let slice = group - own * params.slices;
  let first = direction * words * words * 4u;
  $for b in BATCH
  let batch${b} = min(slice * ${BATCH}u + ${b}u, params.batch - 1u); // past the last one: that one again
  let length${b} = u32(clamp(lengths[batch${b} * params.lengthStride], 0, i32(params.time)));
  let row${b} = batch${b} * params.rowBatch + direction * params.rowDirection;
  let place${b} = batch${b} * params.outBatch + direction * params.outDirection;
  $end
  for (var w = lane; w < words; w += WORKGROUP) {
    $for b in BATCH
    h[${b}u * ROOM + w] = hFrom[batch${b} * params.hBatch + direction * params.hDirection + w];
    c[${b}u * ROOM + w] = cFrom[batch${b} * params.cBatch + direction * params.cDirection + w];
    $end
  }
  var now = 0u;
  workgroupBarrier(); // publishes h
  for (var n = 0u; n < params.steps; n++) {
    let s = params.first + n;
    let next = ${BATCH}u * ROOM - now;
    for (var w = lane; w < words; w += WORKGROUP) {
      $for b in BATCH
      let t${b} = timeOf(s, length${b}, direction);
      let at${b} = row${b} + t${b} * params.rowTime + w;
      var i${b} = x[at${b}];
      var o${b} = x[at${b} + words];
      var f${b} = x[at${b} + 2u * words];
      var g${b} = x[at${b} + 3u * words];
      $end
      var cursor = first + w;
      for (var k = 0u; k < words; k++) {
        let wi = weights[cursor];
        let wo = weights[cursor + words];
        let wf = weights[cursor + 2u * words];
        let wg = weights[cursor + 3u * words];
        $for b in BATCH
        let h${b} = h[now + ${b}u * ROOM + k];
        i${b} += wi * h${b};
        o${b} += wo * h${b};
        f${b} += wf * h${b};
        g${b} += wg * h${b};
        $end
        cursor += 4u * words;
      }
      var peep = mat4x4f();
      if (params.peepholes == 1u) { peep = weights[params.extras + direction * words + w]; }
      $for b in BATCH
      let mine${b} = ${b}u * ROOM + w;
      let before${b} = c[mine${b}];
      let enter${b} = gateF(i${b} + peep[0] * before${b});
      let forget${b} = select(gateF(f${b} + peep[2] * before${b}), 1.0 - enter${b}, params.inputForget == 1u);
      let cell${b} = forget${b} * before${b} + enter${b} * gateG(g${b});
      let leave${b} = gateF(o${b} + peep[1] * cell${b});
      let value${b} = masked(leave${b} * cellH(cell${b}), w);
      let alive${b} = s < length${b};
      c[mine${b}] = select(before${b}, masked(cell${b}, w), alive${b});
      h[next + mine${b}] = select(h[now + mine${b}], value${b}, alive${b});
      if (params.writes == 1u) {
        out[place${b} + t${b} * params.outTime + w] = select(vec4f(0), value${b}, alive${b});
      }
      $end
    }
    workgroupBarrier(); // publishes the next h; the other half is free
    now = next;
  }
  for (var w = lane; w < words; w += WORKGROUP) {
    $for b in BATCH
    let to${b} = batch${b} * params.toBatch + direction * params.toDirection + w;
    hOut[to${b}] = h[now + ${b}u * ROOM + w];
    cOut[to${b}] = c[${b}u * ROOM + w];
    $end
  }
}
