enable subgroups;
enable subgroup_size_control;
enable chromium_experimental_subgroup_matrix;
requires subgroup_id;
// A subgroup's matrices: result (M, N) of i32 += left (M, K) · right (K, N) of i8.
//
// Places and strides are in words of `staged` and `filters`. A left matrix lies in `staged`, its rows LINE
// words apart; a right one in `filters`, column after column, K bytes each; a result goes to `staged`, its
// rows WIDTH words apart. The type's first size is its number of columns. The builtins count places of i8
// in words or in bytes, by the age of the browser: BYTES is 1 or 4, and a test with known sums decides
// (src/gpu/matrices.ts). lib/matrix_flag.wgsl says the same in an older syntax, and
// lib/matrix_emulated.wgsl in plain WGSL.
// https://github.com/gpuweb/gpuweb/blob/main/proposals/subgroup-matrix.md
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
  return subgroupMatrixLoad<Left, row_major>(&staged, at * ${BYTES}u, LINE * ${BYTES}u);
}

fn loadRight(at: u32) -> Right {
  return subgroupMatrixLoad<Right, col_major>(&filters, at * ${BYTES}u, ${K * BYTES}u / 4u);
}

fn multiplyAdd(left: Left, right: Right, sums: Result) -> Result {
  return subgroupMatrixMultiplyAccumulate(left, right, sums);
}

fn storeResult(at: u32, result: Result) {
  subgroupMatrixStore<row_major>(&staged, at, result, WIDTH);
}
