// use lib/recurrent.wgsl
// tile BATCH = 1    batch elements of a workgroup: weights are read once for all of them
//
// One GRU direction, all steps of a dispatch (https://onnx.ai/onnx/operators/onnx__GRU.html):
//
//   z, r = F(x + R·h)          x holds W·input + biases; of h', its recurrent one where R is applied first
//   h' = G(x + r · (R·h + b))  LINEAR_BEFORE_RESET, as in PyTorch
//   h' = G(x + R·(r · h))      without
//   h = (1 − z) · h' + z · h
//
// With LINEAR_BEFORE_RESET h lies twice in workgroup memory, this step's and the next one's, and one barrier
// a step publishes it. Without, the second half holds r · h between two barriers, and z waits in its owner's
// words. Steps past an element's length keep its state and write 0.

override LINEAR_BEFORE_RESET: u32 = 1;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;          // (rows, D, 3, words)
@group(0) @binding(2) var<storage, read> weights: array<mat4x4f>;  // (D, words in, 3, words out), then (D, words): b
@group(0) @binding(3) var<storage, read> lengths: array<i32>;      // (batch), or one
@group(0) @binding(4) var<storage, read> hFrom: array<vec4f>;      // (D, batch, words)
@group(0) @binding(5) var<storage, read_write> hOut: array<vec4f>; // (D, batch, words)
@group(0) @binding(6) var<storage, read_write> out: array<vec4f>;  // (time, D, batch, words)

var<workgroup> h: array<vec4f, ROOM * ${2 * BATCH}u>; // (2, BATCH, ROOM)
var<workgroup> update: array<vec4f, ROOM * ${BATCH}u>; // z

fn mixed(z: vec4f, candidate: vec4f, before: vec4f) -> vec4f {
  return (1.0 - z) * candidate + z * before;
}

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
  let first = direction * words * words * 3u;
  $for b in BATCH
  let batch${b} = min(slice * ${BATCH}u + ${b}u, params.batch - 1u); // past the last one: that one again
  let length${b} = u32(clamp(lengths[batch${b} * params.lengthStride], 0, i32(params.time)));
  let row${b} = batch${b} * params.rowBatch + direction * params.rowDirection;
  let place${b} = batch${b} * params.outBatch + direction * params.outDirection;
  $end
  for (var w = lane; w < words; w += WORKGROUP) {
    $for b in BATCH
    h[${b}u * ROOM + w] = hFrom[batch${b} * params.hBatch + direction * params.hDirection + w];
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
      var z${b} = x[at${b}];
      var r${b} = x[at${b} + words];
      $end
      var cursor = first + w;
      if (LINEAR_BEFORE_RESET == 1u) {
        let bias = weights[params.extras + direction * words + w][0];
        $for b in BATCH
        var g${b} = bias;
        $end
        for (var k = 0u; k < words; k++) {
          let wz = weights[cursor];
          let wr = weights[cursor + words];
          let wg = weights[cursor + 2u * words];
          $for b in BATCH
          let h${b} = h[now + ${b}u * ROOM + k];
          z${b} += wz * h${b};
          r${b} += wr * h${b};
          g${b} += wg * h${b};
          $end
          cursor += 3u * words;
        }
        $for b in BATCH
        let mine${b} = ${b}u * ROOM + w;
        let before${b} = h[now + mine${b}];
        let candidate${b} = gateG(x[at${b} + 2u * words] + gateF(r${b}) * g${b});
        let value${b} = masked(mixed(gateF(z${b}), candidate${b}, before${b}), w);
        let alive${b} = s < length${b};
        h[next + mine${b}] = select(before${b}, value${b}, alive${b});
        if (params.writes == 1u) {
          out[place${b} + t${b} * params.outTime + w] = select(vec4f(0), value${b}, alive${b});
        }
        $end
      } else {
        for (var k = 0u; k < words; k++) {
          let wz = weights[cursor];
          let wr = weights[cursor + words];
          $for b in BATCH
          let h${b} = h[now + ${b}u * ROOM + k];
          z${b} += wz * h${b};
          r${b} += wr * h${b};
          $end
          cursor += 3u * words;
        }
        $for b in BATCH
        let mine${b} = ${b}u * ROOM + w;
        update[mine${b}] = gateF(z${b});
        h[next + mine${b}] = masked(gateF(r${b}) * h[now + mine${b}], w);
        $end
      }
    }
    workgroupBarrier(); // publishes the next h, or r · h
    if (LINEAR_BEFORE_RESET == 1u) {
      now = next;
      continue;
    }
    for (var w = lane; w < words; w += WORKGROUP) {
      $for b in BATCH
      let t${b} = timeOf(s, length${b}, direction);
      var g${b} = x[row${b} + t${b} * params.rowTime + w + 2u * words];
      $end
      var cursor = first + w + 2u * words;
      for (var k = 0u; k < words; k++) {
        let wg = weights[cursor];
        $for b in BATCH
        g${b} += wg * h[next + ${b}u * ROOM + k];
        $end
        cursor += 3u * words;
      }
      $for b in BATCH
      let mine${b} = ${b}u * ROOM + w;
      let before${b} = h[now + mine${b}];
      let value${b} = masked(mixed(update[mine${b}], gateG(g${b}), before${b}), w);
      let alive${b} = s < length${b};
      h[now + mine${b}] = select(before${b}, value${b}, alive${b});
      if (params.writes == 1u) {
        out[place${b} + t${b} * params.outTime + w] = select(vec4f(0), value${b}, alive${b});
      }
      $end
    }
    workgroupBarrier(); // publishes h
  }
  for (var w = lane; w < words; w += WORKGROUP) {
    $for b in BATCH
    hOut[batch${b} * params.toBatch + direction * params.toDirection + w] = h[now + ${b}u * ROOM + w];
    $end
  }
}
