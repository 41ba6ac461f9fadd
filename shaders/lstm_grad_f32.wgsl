// use lib/recurrent_grad.wgsl
// tile BATCH = 1    batch elements of a workgroup: R is read once for all of them
//
// An LSTM walked back (docs/quantization.md (79)): with c⁻ the cell before the step and q = tanh(f · c⁻ + i · g),
//
//   dh = dY + dH,   dc = dC + dh · o · (1 − q²)
//   di = dc · g · i(1 − i),  do = dh · q · o(1 − o),  df = dc · c⁻ · f(1 − f),  dg = dc · i · (1 − g²)
//   dH ← Rᵀ · (di, do, df, dg),   dC ← dc · f

override ROOM: u32 = 64; // words of a state that workgroup memory is cut for

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sums: array<vec4f>;       // (time, batch, 4, words): i, o, f, g
@group(0) @binding(2) var<storage, read> weights: array<vec4f>;    // (4, H, words): R
@group(0) @binding(3) var<storage, read> cells: array<vec4f>;      // (time, batch, words)
@group(0) @binding(4) var<storage, read> gradient: array<vec4f>;   // (time, batch, words): dY
@group(0) @binding(5) var<storage, read> lengths: array<i32>;      // (batch), or one
@group(0) @binding(6) var<storage, read> lastState: array<vec4f>;  // (2, batch, words)
@group(0) @binding(7) var<storage, read_write> hOut: array<vec4f>; // (2, batch, words): dH, dC
@group(0) @binding(8) var<storage, read_write> out: array<vec4f>;  // (time, batch, 4, words)

var<workgroup> parts: array<vec4f, ROOM * ${4 * BATCH}u>; // (BATCH, 4, ROOM)

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let slice = id.y * groups.x + id.x;
  let words = params.words;
  $for b in BATCH
  let batch${b} = min(slice * ${BATCH}u + ${b}u, params.batch - 1u); // past the last one: that one again
  let live${b} = slice * ${BATCH}u + ${b}u < params.batch;           // and not stored
  let length${b} = u32(clamp(lengths[batch${b} * params.lengthStride], 0, i32(params.time)));
  $end
  if (params.begins == 1u) {
    for (var w = lane; w < words; w += WORKGROUP) {
      $for b in BATCH
      if (live${b}) {
        hOut[batch${b} * words + w] = lastState[batch${b} * words + w];
        hOut[(params.batch + batch${b}) * words + w] = lastState[(params.batch + batch${b}) * words + w];
      }
      $end
    }
  }
  for (var n = 0u; n < params.steps; n++) {
    let s = params.first - n;
    for (var w = lane; w < words; w += WORKGROUP) {
      $for b in BATCH
      let alive${b} = s < length${b};
      let at${b} = timeOf(s, length${b}) * params.batch + batch${b};
      let from${b} = at${b} * 4u * words + w;
      let i${b} = sigmoid(sums[from${b}]);
      let o${b} = sigmoid(sums[from${b} + words]);
      let f${b} = sigmoid(sums[from${b} + 2u * words]);
      let g${b} = tanhOf(sums[from${b} + 3u * words]);
      let before${b} = cells[at${b} * words + w];
      let q${b} = tanhOf(f${b} * before${b} + i${b} * g${b});
      let place${b} = batch${b} * words + w;
      let cell${b} = params.batch * words + place${b};
      let dh${b} = hOut[place${b}] + gradient[at${b} * words + w];
      let dc${b} = hOut[cell${b}] + dh${b} * o${b} * (1.0 - q${b} * q${b});
      let di${b} = masked(dc${b} * g${b} * i${b} * (1.0 - i${b}), w, alive${b});
      let do${b} = masked(dh${b} * q${b} * o${b} * (1.0 - o${b}), w, alive${b});
      let df${b} = masked(dc${b} * before${b} * f${b} * (1.0 - f${b}), w, alive${b});
      let dg${b} = masked(dc${b} * i${b} * (1.0 - g${b} * g${b}), w, alive${b});
      let mine${b} = ${4 * b}u * ROOM + w;
      parts[mine${b}] = di${b};
      parts[mine${b} + ROOM] = do${b};
      parts[mine${b} + 2u * ROOM] = df${b};
      parts[mine${b} + 3u * ROOM] = dg${b};
      if (live${b}) {
        out[from${b}] = di${b};
        out[from${b} + words] = do${b};
        out[from${b} + 2u * words] = df${b};
        out[from${b} + 3u * words] = dg${b};
        if (alive${b}) { hOut[cell${b}] = dc${b} * f${b}; }
      }
      $end
    }
    workgroupBarrier(); // publishes parts
    for (var w = lane; w < words; w += WORKGROUP) {
      $for b in BATCH
      var dh${b} = vec4f(0);
      $end
      for (var gate = 0u; gate < 4u; gate++) {
        for (var j = 0u; j < words; j++) {
          $for b in BATCH
          let d${b} = parts[(${4 * b}u + gate) * ROOM + j];
          $end
          for (var unit = 0u; unit < 4u; unit++) {
            let row = weights[(gate * params.units + min(j * 4u + unit, params.units - 1u)) * words + w];
            $for b in BATCH
            dh${b} += d${b}[unit] * row;
            $end
          }
        }
      }
      $for b in BATCH
      if (live${b} && s < length${b}) { hOut[batch${b} * words + w] = masked(dh${b}, w, true); }
      $end
    }
    workgroupBarrier(); // publishes that parts are read and may be overwritten
  }
}
