// LSTM and GRU in ONNX files: what we write, ONNX Runtime reads as we do, and we read again.

import * as ort from "onnxruntime-web";
import { describe, expect, it } from "vitest";
import { exportOnnx } from "../../../src/formats/onnx/export.ts";
import { importOnnx } from "../../../src/formats/onnx/import.ts";
import { bindShapes } from "../../../src/graph/bind.ts";
import type { NodeOf } from "../../../src/graph/node.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { toNumbers, type Tensor, type Tensors } from "../../../src/tensor/tensor.ts";
import { difference, type Case } from "../../support/cases.ts";
import { dynamicRecurrent, recurrent } from "../../support/families/recurrent.ts";
import { floats, node, tiny } from "./onnxModels.ts";

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

async function inRuntime(bytes: Uint8Array, feeds: Tensors): Promise<Map<string, Tensor>> {
  const session = await ort.InferenceSession.create(bytes);
  const entries = Object.entries(feeds).map(([name, { dtype, data, shape }]) => {
    return [name, new ort.Tensor(dtype as "float32", data as Float32Array, [...shape])] as const;
  });
  const results = await session.run(Object.fromEntries(entries));
  await session.release();
  return new Map(
    Object.entries(results).map(([name, { dims, data }]) => [
      name,
      { dtype: "float32", shape: dims, data: data as Float32Array },
    ]),
  );
}

/** ONNX Runtime has no layout 1, and for a sequence of no steps it gives a state of zeros where the standard
 *  says nothing and we keep the initial one. */
const runs = ({ graph, feeds }: Case) => {
  const tensors = [...graph.constants.values(), ...Object.values(feeds)];
  const isEmpty = (each: Tensor) => each.dtype === "int32" && toNumbers(each).includes(0);
  return (
    graph.nodes.every((each) => !("layout" in each) || each.layout === 0) && !tensors.some(isEmpty)
  );
};

describe.each(recurrent)("$title", (family) => {
  it("in ONNX Runtime too, and after a round trip", async () => {
    const cases = family.sample(60).filter(runs);
    expect(cases.length).toBeGreaterThan(15);
    for (const { graph, feeds } of cases) {
      const bytes = exportOnnx(graph, { opset: 17 });
      const want = await inRuntime(bytes, feeds);
      const again = bindShapes(importOnnx(bytes), new Map());
      const got = interpret(again, feeds);
      for (const name of graph.outputs) {
        // Its activations are approximations: to about 1e-6, and steps carry them on.
        const wrong = difference(got.get(name), want.get(name)!, { tolerance: 2e-5, terms: 1 });
        expect(wrong, `${name} of ${JSON.stringify(graph.nodes)}`).toBeUndefined();
      }
    }
  }, 30_000);
});

describe("a dynamic LSTM", () => {
  // Not with lengths: once an element has ended, whether it still counts for the range of h is not written
  // anywhere, and some results differ by a byte.
  const cases = dynamicRecurrent[1]!.sample(250).filter((each) => {
    const { op, dynamic, layout, roles } = each.graph.nodes[0] as NodeOf<"LSTM">;
    const isOnnx = dynamic?.rule === "onnx" && dynamic.granularity === "perTensor";
    return op === "LSTM" && isOnnx && layout === 0 && !roles.includes("sequenceLens") && runs(each);
  });

  it("computes in ONNX Runtime what it computes here, and after a round trip", async () => {
    expect(cases.length).toBeGreaterThan(5);
    for (const { graph, feeds } of cases) {
      const bytes = exportOnnx(graph);
      const want = await inRuntime(bytes, feeds);
      const again = importOnnx(bytes);
      const got = interpret(bindShapes(again, new Map()), feeds);
      const before = interpret(bindShapes(graph as never, new Map()), feeds);
      for (const name of graph.outputs) {
        // A file holds clip as f32.
        expect(difference(got.get(name), before.get(name)!, { tolerance: 1e-6 })).toBe(undefined);
        const wrong = difference(got.get(name), want.get(name)!, { tolerance: 2e-5, terms: 1 });
        expect(wrong, `${name} of ${JSON.stringify(graph.nodes)}`).toBeUndefined();
      }
    }
  }, 30_000);
});

describe("a file", () => {
  const lstm = (attributes: Parameters<typeof node>[3], inputs = ["x", "W", "R"]) =>
    tiny({
      nodes: [node("LSTM", inputs, ["y"], attributes)],
      inputs: { x: [3, "batch", 2] },
      initializers: { W: floats([1, 8, 2]), R: floats([1, 8, 2]), P: floats([1, 6]) },
    });

  it("with holes among the inputs gives a node that names what is there", () => {
    const inputs = ["x", "W", "R", "", "", "", "", "P"];
    const { nodes } = importOnnx(lstm({ hidden_size: 2 }, inputs));
    expect(nodes[0]).toMatchObject({ inputs: ["x", "W", "R", "P"], roles: ["peepholes"] });
  });

  it("with a wrong size is refused with the shape that belongs there", () => {
    expect(() => importOnnx(lstm({ hidden_size: 3 }))).toThrowErrorMatchingInlineSnapshot(
      `[InputError: LSTM "LSTM_0": W must have shape [1, 12, 2]; got [1, 8, 2] with x [3, batch, 2]. Check the model file; its shapes contradict each other.]`,
    );
  });

  it("with an unknown direction is refused", () => {
    expect(() =>
      importOnnx(lstm({ hidden_size: 2, direction: "sideways" })),
    ).toThrowErrorMatchingInlineSnapshot(
      `[FormatError: ONNX at byte 12: LSTM "LSTM_0": direction must be one of forward, reverse, bidirectional; got sideways. The model is not valid ONNX there: onnx.checker.check_model says more; export it again.]`,
    );
  });
});
