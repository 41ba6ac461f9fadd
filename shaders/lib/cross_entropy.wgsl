// What the loss of a row of logits and its gradient share: uniforms, and the row's sum of powers.
//
// target = share on the label, and spread more on every class: share = 1 − ε, spread = ε / C. NaN in a row stays
// NaN, so that training notices. Needs the binding x, (rows, words).

override WORKGROUP: u32 = 64;

struct Params {
  count: u32,   // rows
  room: u32,    // losses that are written, padding included
  words: u32,   // of a row
  last: u32,    // elements of a row, padding excluded: C
  share: f32,
  spread: f32,
}

const IGNORED = -100;
const LEAST = -3.4028234e38;

struct Total {
  greatest: f32,
  sum: f32, // Σ exp(x − greatest)
}

fn isReal(word: u32) -> vec4<bool> {
  return (word * 4u + vec4u(0, 1, 2, 3)) < vec4u(params.last);
}

fn lanesSum(v: vec4f) -> f32 { return v.x + v.y + v.z + v.w; }

fn totalOf(base: u32) -> Total {
  var most = vec4f(LEAST);
  for (var i = 0u; i < params.words; i++) { most = max(most, select(vec4f(LEAST), x[base + i], isReal(i))); }
  let greatest = max(max(most.x, most.y), max(most.z, most.w));
  var sum = vec4f(0);
  for (var i = 0u; i < params.words; i++) {
    sum += select(vec4f(0), exp(x[base + i] - greatest), isReal(i));
  }
  return Total(greatest, lanesSum(sum));
}
