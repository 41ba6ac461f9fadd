// lib/seen.wgsl where nobody observes.
const NO_LEAST = 0u;
const NO_GREATEST = 0u;

fn rank(y: vec4f) -> u32 {
  return 0u;
}

fn seeLeast(least: u32, rank: u32) -> u32 {
  return 0u;
}

fn seeGreatest(greatest: u32, rank: u32) -> u32 {
  return 0u;
}

fn realLanes(word: u32) -> vec4<bool> {
  return vec4<bool>(true);
}

fn publish(least: u32, greatest: u32, real: vec4<bool>) {}
