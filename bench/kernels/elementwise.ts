// What moves or watches elements rather than multiplying them: bound by memory, on any adapter.

import type { ObserverSpec } from "../../src/graph/observer.ts";
import type { QParams } from "../../src/graph/value.ts";
import { float32, formatShape, sizeOf } from "../../src/tensor/tensor.ts";
import type { Precision } from "../core/platform.ts";
import { normal } from "../core/random.ts";
import {
  activationQuant,
  activations,
  gatherOperand,
  picker,
  single,
  type Attributes,
  type KernelCase,
} from "./case.ts";

type Shape = readonly [number, number, number, number];

interface Spec {
  readonly kernel: string;
  readonly dtype: Precision;
  readonly attributes: Attributes;
  readonly inputs: readonly Precision[];
  /** Inputs of one number each, behind the others. */
  readonly scalars?: readonly number[];
  readonly out: Precision;
}

const outQuant: QParams = { ...activationQuant, scale: Float32Array.of(1 / 40) };

function elementwise(spec: Spec, shape: Shape): KernelCase {
  const { kernel, dtype, attributes, inputs, scalars = [], out } = spec;
  const count = sizeOf(shape);
  const bytesOf = (precision: Precision) => (precision === "int8" ? count : 4 * count);
  const quant = out === "int8" ? outQuant : undefined;
  return {
    kernel,
    dtype,
    shape: formatShape(shape),
    isProduct: false,
    ops: count,
    bytes: [...inputs, out].reduce((sum, precision) => sum + bytesOf(precision), 0),
    make(next) {
      const operands = inputs.map((precision, index) => ({
        ...activations(precision, shape, next),
        name: `x${index}`,
      }));
      const parameters = scalars.map((value, index) => ({
        name: `p${index}`,
        tensor: float32([], [value]),
      }));
      const graph = single(attributes, [...operands, ...parameters], quant);
      const one = [...operands.map((operand) => gatherOperand(operand, 0, [0])), ...parameters];
      const pick = picker(shape, 0, [0]);
      return {
        graph,
        probe: { kind: "part", graph: single(attributes, one, quant), pick },
      };
    },
  };
}

function observe(kernel: string, observer: ObserverSpec, shape: Shape): KernelCase {
  const count = sizeOf(shape);
  const passes = observer.kind === "histogram" ? 2 : 1; // the range first, then the counts
  return {
    kernel,
    dtype: "float32",
    shape: formatShape(shape),
    isProduct: false,
    ops: passes * count,
    bytes: passes * 4 * count,
    make(next) {
      const x = normal(shape, next);
      const graph = single(
        { op: "Observe", observer },
        [{ name: "x", tensor: x }],
        undefined,
        false,
      );
      return { graph, probe: { kind: "statistics", x } };
    },
  };
}

/** ±2 in 256 steps: of normal values, the twentieth part is clamped. */
const fake = { qmin: 0, qmax: 255 } as const;
const scaleAndZero = [1 / 64, 128];

/** All of them on activations of `shape`. */
export function elementwiseCases(shape: Shape): KernelCase[] {
  const float = "float32";
  return [
    observe("observe min/max", { kind: "minMax" }, shape),
    observe("observe histogram", { kind: "histogram" }, shape),
    elementwise(
      {
        kernel: "fake-quant forward",
        dtype: float,
        attributes: { op: "FakeQuantize", ...fake },
        inputs: [float],
        scalars: scaleAndZero,
        out: float,
      },
      shape,
    ),
    elementwise(
      {
        kernel: "fake-quant backward",
        dtype: float,
        attributes: { op: "FakeQuantizeGrad", ...fake },
        inputs: [float, float],
        scalars: scaleAndZero,
        out: float,
      },
      shape,
    ),
    elementwise(
      {
        kernel: "quantize",
        dtype: "int8",
        attributes: { op: "Quantize" },
        inputs: [float],
        out: "int8",
      },
      shape,
    ),
    elementwise(
      {
        kernel: "dequantize",
        dtype: "int8",
        attributes: { op: "Dequantize" },
        inputs: ["int8"],
        out: float,
      },
      shape,
    ),
    elementwise(
      {
        kernel: "add",
        dtype: float,
        attributes: { op: "Add" },
        inputs: [float, float],
        out: float,
      },
      shape,
    ),
    elementwise(
      {
        kernel: "add",
        dtype: "int8",
        attributes: { op: "Add" },
        inputs: ["int8", "int8"],
        out: "int8",
      },
      shape,
    ),
  ];
}
