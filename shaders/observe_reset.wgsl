// slot ← no value seen in this batch
//
// The head of a slot (plan/observe.ts) and its bins; the running range of all batches stays. One
// workgroup owns the slot.

override WORKGROUP: u32 = 64;

struct Params {
  bins: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> slot: array<u32>; // (8 + bins)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32) {
  if (local == 0u) {
    slot[0] = 0xffffffffu; // least, ordered
    slot[1] = 0u;          // greatest, ordered
    slot[2] = 0u;          // non-finite values
    slot[3] = 0xffffffffu; // index of the first
  }
  for (var i = local; i < params.bins; i += WORKGROUP) { slot[8u + i] = 0u; }
}
