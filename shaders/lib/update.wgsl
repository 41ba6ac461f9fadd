// The step's hyperparameters, in the places that src/graph/updates.ts names, and the lanes that are elements.
fn applies() -> bool { return hyper[0].y != 0.0; }

fn learningRate(rate: f32) -> f32 { return hyper[0].x * rate; }

fn scale() -> f32 { return hyper[0].z; }

/** 1 / (1 − beta1^t) and 1 / (1 − beta2^t). */
fn corrections() -> vec2f { return vec2f(hyper[0].w, hyper[1].x); }

fn isFirst() -> bool { return hyper[1].y != 0.0; }

fn realLanes(index: u32, words: u32, last: u32) -> vec4<bool> {
  return (index % words) * 4u + vec4u(0u, 1u, 2u, 3u) < vec4u(last);
}
