enable subgroups;
enable subgroup_size_control;
enable chromium_experimental_subgroup_matrix;
requires subgroup_id;
// lib/matrix.wgsl in the syntax of older browsers, where majorness is an argument: true is col_major.
struct Subgroup {
  @builtin(subgroup_id) id: u32,
}

alias Left = subgroup_matrix_left<i8, ${K}, ${M}>;
alias Right = subgroup_matrix_right<i8, ${N}, ${K}>;
alias Result = subgroup_matrix_result<i32, ${N}, ${M}>;

fn indexOf(subgroup: Subgroup) -> u32 {
  return subgroup.id;
}

fn loadLeft(at: u32) -> Left {
  return subgroupMatrixLoad<Left>(&staged, at * ${BYTES}u, false, LINE * ${BYTES}u);
}

fn loadRight(at: u32) -> Right {
  return subgroupMatrixLoad<Right>(&filters, at * ${BYTES}u, true, ${K * BYTES}u / 4u);
}

fn multiplyAdd(left: Left, right: Right, sums: Result) -> Result {
  return subgroupMatrixMultiplyAccumulate(left, right, sums);
}

fn storeResult(at: u32, result: Result) {
  subgroupMatrixStore(&staged, at, result, false, WIDTH);
}
