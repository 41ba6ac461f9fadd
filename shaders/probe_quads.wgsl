// out[i] = 1 where invocation i forms a quad with i ⊕ 1, i ⊕ 2 and i ⊕ 3
//
// WGSL does not say which invocations of a workgroup make a quad; conv_quad_*.wgsl needs these.

enable subgroups;

override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<storage, read_write> out: array<u32>; // (WORKGROUP)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32) {
  let x = quadSwapX(local) == (local ^ 1u);
  let y = quadSwapY(local) == (local ^ 2u);
  let diagonal = quadSwapDiagonal(local) == (local ^ 3u);
  out[local] = select(0u, 1u, x && y && diagonal);
}
