// A grid has at most 65,535 workgroups a side, so long ones fold into rows of x and y. This is the
// index an invocation has in the unfolded line; the last row runs past the end and must be checked.
fn flatIndex(id: vec3u, groups: vec3u, workgroupSize: u32) -> u32 {
  return id.y * groups.x * workgroupSize + id.x;
}
