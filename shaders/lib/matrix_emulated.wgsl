// The subgroup's matrices of lib/matrix.wgsl in plain WGSL, with the same meaning: what stands in where
// tests run a kernel that their device cannot. One idea: an operand stays where it lies, so a matrix
// is its place, and each of the LANES invocations of a subgroup, consecutive here, keeps a share of the
// result. It counts places in words, as the builtins of newer browsers do, so BYTES = 4 is a wrong
// reading here. Slow: never chosen for a device.
//
// Needs lib/dot4.wgsl, `filters`, `staged`, and the constants LINE and WIDTH.
struct Subgroup {
  @builtin(local_invocation_id) invocation: vec3u, // of a workgroup that is a line
}

const SHARE = ${M * N}u / ${LANES}u;

alias Left = u32;
alias Right = u32;
alias Result = array<i32, SHARE>;

var<private> lane: u32;

fn indexOf(subgroup: Subgroup) -> u32 {
  lane = subgroup.invocation.x % ${LANES}u;
  return subgroup.invocation.x / ${LANES}u;
}

fn loadLeft(at: u32) -> Left {
  return at * ${BYTES}u;
}

fn loadRight(at: u32) -> Right {
  return at * ${BYTES}u;
}

fn multiplyAdd(left: Left, right: Right, sums: Result) -> Result {
  var next = sums;
  for (var share = 0u; share < SHARE; share++) {
    let element = share * ${LANES}u + lane;
    let row = left + element / ${N}u * (LINE * ${BYTES}u);
    let column = right + element % ${N}u * (${K * BYTES}u / 4u);
    var sum = next[share];
    for (var k = 0u; k < ${K}u / 4u; k++) {
      let terms = lanes(u32(staged[row + k])) * lanes(u32(filters[column + k]));
      sum += terms.x + terms.y + terms.z + terms.w;
    }
    next[share] = sum;
  }
  return next;
}

fn storeResult(at: u32, result: Result) {
  for (var share = 0u; share < SHARE; share++) {
    let element = share * ${LANES}u + lane;
    staged[at + element / ${N}u * WIDTH + element % ${N}u] = result[share];
  }
}
