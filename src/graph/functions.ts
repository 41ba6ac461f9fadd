// What element-wise ops compute, as functions of f64 numbers. The reference maps them over tensors and rounds
// once, import folds constants with them, and the tables of quantized functions are made from them.

import { clamp, rint } from "../tensor/rounding.ts";
import type { Binary, Node, Reduce, Unary } from "./node.ts";

/** Ops that are a function of one real number: all but Cast. */
export type UnaryFunction = Exclude<Unary, { readonly op: "Cast" }>;

/** erf x = 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (1 · 3 · … · (2n+1)). All terms have one sign, so nothing
 *  cancels: a few ulp of f64. From |x| = 6 on it is ±1 there. */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a >= 6) return Math.sign(x);
  let term = a;
  let sum = a;
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * a * a) / (2 * n + 1);
    sum += term;
  }
  return ((Math.sign(x) * 2) / Math.sqrt(Math.PI)) * Math.exp(-a * a) * sum;
}

/** x · Φ(x), or the approximation of Φ by tanh: https://arxiv.org/abs/1606.08415 */
function gelu(approximate: "none" | "tanh"): (x: number) => number {
  if (approximate === "none") return (x) => 0.5 * x * (1 + erf(x / Math.SQRT2));
  const k = Math.sqrt(2 / Math.PI);
  return (x) => 0.5 * x * (1 + Math.tanh(k * (x + 0.044715 * x ** 3)));
}

type Functions = {
  readonly [O in UnaryFunction["op"]]: (
    node: Extract<UnaryFunction, { readonly op: O }>,
  ) => (x: number) => number;
};

const functions: Functions = {
  Identity: () => (x) => x,
  Relu: () => (x) => clamp(x, 0, Infinity),
  Sigmoid: () => (x) => 1 / (1 + Math.exp(-x)),
  HardSwish: () => (x) => (x * clamp(x + 3, 0, 6)) / 6,
  Tanh: () => Math.tanh,
  Erf: () => erf,
  Sqrt: () => Math.sqrt,
  Exp: () => Math.exp,
  Log: () => Math.log,
  Neg: () => (x) => -x,
  Abs: () => Math.abs,
  Reciprocal: () => (x) => 1 / x,
  Softplus: () => (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  Sign: () => Math.sign,
  Floor: () => Math.floor,
  Ceil: () => Math.ceil,
  // From 2²³ on every f32 is an integer.
  Round: () => (x) => (Math.abs(x) < 2 ** 23 ? rint(x) : x),
  Elu: ({ alpha }) => {
    return (x) => (x < 0 ? alpha * Math.expm1(x) : x);
  },
  Selu: ({ alpha, gamma }) => {
    return (x) => gamma * (x < 0 ? alpha * Math.expm1(x) : x);
  },
  Gelu: ({ approximate }) => gelu(approximate),
  LeakyRelu: ({ alpha }) => {
    return (x) => (x < 0 ? alpha * x : x);
  },
  HardSigmoid: ({ alpha, beta }) => {
    return (x) => clamp(alpha * x + beta, 0, 1);
  },
  Clip: ({ low, high }) => {
    return (x) => clamp(x, low, high);
  },
};

/** Whether `node` is a function of one real number. */
export function isUnaryFunction(node: Node): node is UnaryFunction {
  return Object.hasOwn(functions, node.op);
}

/** The function of `node`, in f64. NaN stays NaN. */
export function unaryFunction(node: UnaryFunction): (x: number) => number {
  return (functions[node.op] as (node: UnaryFunction) => (x: number) => number)(node);
}

/** a ^ b as IEEE's pow. JavaScript's own says NaN for 1 ^ NaN and for (±1) ^ ±∞, where that says 1. */
function pow(a: number, b: number): number {
  return a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b;
}

/** What each op computes of two f64 numbers. */
export const binaryFunctions: Readonly<Record<Binary["op"], (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Pow: pow,
  Min: Math.min,
  Max: Math.max,
};

/** Whether `node` is element-wise with two inputs. */
export function isBinary(node: Node): node is Binary {
  return Object.hasOwn(binaryFunctions, node.op);
}

/** A reduction: `start`, then each element's `term` joined to what is there, and the total finished. `start` is
 *  also the result over no elements. */
export interface Reduction {
  readonly start: number;
  readonly term: (x: number) => number;
  readonly join: (total: number, term: number) => number;
  readonly finish: (total: number, count: number) => number;
}

function reduction(start: number, join: Reduction["join"], rest: Partial<Reduction> = {}) {
  return { start, join, term: (x: number) => x, finish: (total: number) => total, ...rest };
}

const add = (total: number, term: number) => total + term;
const square = (x: number) => x * x;

/** What each op computes, in f64. The mean of nothing is 0. */
export const reductions: Readonly<Record<Reduce["op"], Reduction>> = {
  ReduceMean: reduction(0, add, { finish: (total, count) => total / Math.max(1, count) }),
  ReduceSum: reduction(0, add),
  ReduceMax: reduction(-Infinity, Math.max),
  ReduceMin: reduction(Infinity, Math.min),
  ReduceProd: reduction(1, (total, term) => total * term),
  ReduceL1: reduction(0, add, { term: Math.abs }),
  ReduceL2: reduction(0, add, { term: square, finish: Math.sqrt }),
  ReduceSumSquare: reduction(0, add, { term: square }),
};

/** Whether `node` reduces axes. */
export function isReduce(node: Node): node is Reduce {
  return Object.hasOwn(reductions, node.op);
}
