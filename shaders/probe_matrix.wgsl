// use lib/dot4.wgsl
// use lib/matrix_emulated.wgsl
// tile M = 16
// tile N = 16
// tile K = 32
// tile LANES = 32
// tile PINNED = 0
// tile BYTES = 1
// tile SUBGROUPS = 2
// tile STEPS = 2      matrices along the sum
// tile STAGED = 640   words of workgroup memory
//
// out[m, s · N + n] = Σₖ x[s · M + m, k] · filter[k, s · N + n], s = 0 … SUBGROUPS − 1
//
// Are a subgroup's matrices what lib/matrix.wgsl says? This addresses them as conv_matrix_i8.wgsl does:
// lines of x with a gap between them, a filter matrix in one run, results of several subgroups side by
// side, a sum of several products. One workgroup does all.

@group(0) @binding(0) var<storage, read> x: array<i32>;         // (SUBGROUPS · M, STEPS · K / 4)
@group(0) @binding(1) var<storage, read> filters: array<i32>;   // (STEPS, SUBGROUPS, N, K / 4)
@group(0) @binding(2) var<storage, read_write> out: array<i32>; // (M, SUBGROUPS · N)

const THREADS = ${SUBGROUPS * LANES}u;
const WIDTH = ${SUBGROUPS * N}u;
const CHUNK = ${STEPS * K}u / 4u;
const LINE = CHUNK + 4u;
const RIGHT = ${N * K}u / 4u;

var<workgroup> staged: array<i32, ${STAGED}>;

@compute @workgroup_size(${SUBGROUPS * LANES})
$for p in PINNED
@subgroup_size(${LANES})
$end
fn main(own: Subgroup, @builtin(local_invocation_index) index: u32) {
  let subgroup = indexOf(own);
  for (var i = index; i < ${SUBGROUPS * M}u * CHUNK; i += THREADS) {
    staged[i / CHUNK * LINE + i % CHUNK] = x[i];
  }
  workgroupBarrier(); // publishes staged: x
  var result: Result;
  $for s in STEPS
  let left${s} = loadLeft(subgroup * (${M}u * LINE) + ${s * K}u / 4u);
  let right${s} = loadRight((${s * SUBGROUPS}u + subgroup) * RIGHT);
  result = multiplyAdd(left${s}, right${s}, result);
  $end
  workgroupBarrier(); // publishes that staged is read
  storeResult(subgroup * ${N}u, result);
  workgroupBarrier(); // publishes staged: the results
  for (var i = index; i < ${M}u * WIDTH; i += THREADS) {
    out[i] = staged[i];
  }
}
