// lib/seen.wgsl where nobody observes.
alias Seen = u32;

fn nothingSeen() -> Seen {
  return 0u;
}

fn realLanes(word: u32) -> vec4<bool> {
  return vec4<bool>(true);
}

fn see(seen: ptr<function, Seen>, y: vec4f) {}

fn join(seen: ptr<function, Seen>, other: Seen, real: vec4<bool>) {}

fn publish(seen: Seen) {}
