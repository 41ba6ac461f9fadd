// The derivatives of element-wise ops, as functions of f64 numbers. At a corner they are what PyTorch's
// autograd gives there.

import { erf } from "./functions.ts";
import type { Smooth } from "./gradients.ts";

type Derivatives = {
  readonly [O in Smooth["op"]]: (of: Extract<Smooth, { readonly op: O }>) => (x: number) => number;
};

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** d/dx of x · Φ(x), or of x · (1 + tanh t) / 2 with t = k (x + 0.044715 x³). */
function gelu(approximate: "none" | "tanh"): (x: number) => number {
  const density = 1 / Math.sqrt(2 * Math.PI);
  if (approximate === "none")
    return (x) => 0.5 * (1 + erf(x / Math.SQRT2)) + x * density * Math.exp((-x * x) / 2);
  const k = Math.sqrt(2 / Math.PI);
  return (x) => {
    const t = k * (x + 0.044715 * x ** 3);
    const slope = Math.cosh(t) ** -2 * k * (1 + 3 * 0.044715 * x * x);
    return 0.5 * (1 + Math.tanh(t)) + 0.5 * x * slope;
  };
}

const derivatives: Derivatives = {
  Sigmoid: () => (x) => sigmoid(x) * sigmoid(-x),
  HardSwish: () => (x) => (x < -3 ? 0 : x <= 3 ? x / 3 + 0.5 : 1),
  Tanh: () => (x) => Math.cosh(x) ** -2,
  Erf: () => (x) => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x),
  Sqrt: () => (x) => 0.5 / Math.sqrt(x),
  Exp: () => Math.exp,
  Log: () => (x) => 1 / x,
  Abs: () => Math.sign,
  Reciprocal: () => (x) => -1 / (x * x),
  Softplus: () => sigmoid,
  Elu: ({ alpha }) => {
    return (x) => (x > 0 ? 1 : alpha * Math.exp(x));
  },
  Selu: ({ alpha, gamma }) => {
    return (x) => gamma * (x > 0 ? 1 : alpha * Math.exp(x));
  },
  Gelu: ({ approximate }) => gelu(approximate),
  LeakyRelu: ({ alpha }) => {
    return (x) => (x > 0 ? 1 : alpha);
  },
  HardSigmoid: ({ alpha, beta }) => {
    return (x) => (alpha * x + beta > 0 && alpha * x + beta < 1 ? alpha : 0);
  },
};

/** f′ of the op `of`. */
export function derivativeOf(of: Smooth): (x: number) => number {
  return (derivatives[of.op] as (of: Smooth) => (x: number) => number)(of);
}
