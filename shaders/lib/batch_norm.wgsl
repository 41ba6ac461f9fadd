// What batch normalization knows of four channels: y = (x − centre) · factor + bias, where
// centre = mean · divisor, inverse = 1 / √(variance + epsilon), steps = inverse / divisor and
// factor = scale · steps; docs/quantization.md (70). Padding lanes are 0, whatever lies in those of the parameters.

const FACTS = 5u; // words of a word's facts: centre, factor, bias, inverse, steps

struct Facts {
  centre: vec4f,
  factor: vec4f,
  bias: vec4f,
  inverse: vec4f,
  steps: vec4f,
}

fn factsOf(scale: vec4f, bias: vec4f, mean: vec4f, variance: vec4f, divisor: vec4f, epsilon: f32, real: vec4<bool>) -> Facts {
  let none = vec4f(0);
  let inverse = inverseSqrt(select(vec4f(1), variance, real) + epsilon);
  let steps = inverse / select(vec4f(1), divisor, real);
  return Facts(select(none, mean * divisor, real), select(none, scale * steps, real), select(none, bias, real),
    select(none, inverse, real), select(none, steps, real));
}

/** Which lanes of `word` are channels, of `last`. */
fn realLanes(word: u32, last: u32) -> vec4<bool> {
  return word * 4u + vec4u(0, 1, 2, 3) < vec4u(last);
}
