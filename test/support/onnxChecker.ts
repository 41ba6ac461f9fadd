// What the ONNX checker asks of a file, and what runtimes ask beyond it: names that occur once, nodes in order, nothing
// that dangles, typed ports, versions that belong together. onnx.checker itself is a Python package.

import { ONNX_LIMITS } from "../../src/formats/onnx/limits.ts";
import type { GraphProto } from "../../src/formats/onnx/proto.ts";
import { readModel } from "../../src/formats/onnx/read.ts";

/** IR version → the newest opset that it was released with: onnx/docs/docs/Versioning.md. */
const opsetOf = new Map([
  [7, 13],
  [8, 17],
  [9, 20],
  [10, 23],
]);

/** Everything that is wrong with the file of `bytes`; empty for a good one. */
export function faultsOf(bytes: Uint8Array): string[] {
  const { graph, opsets, irVersion } = readModel(bytes, ONNX_LIMITS);
  const faults: string[] = [];
  const opset = Number(opsets.get("") ?? 0);
  if (!(opset <= (opsetOf.get(Number(irVersion)) ?? 0)))
    faults.push(`opset ${opset} is newer than IR version ${irVersion}`);
  for (const { domain, opType } of graph.nodes)
    if (!opsets.has(domain)) faults.push(`${opType}: no opset of domain "${domain}"`);
  for (const { name, elemType, shape } of [...graph.inputs, ...graph.outputs])
    if (elemType === undefined || shape === undefined) faults.push(`port ${name} has no type`);
  return [...faults, ...namesOf(graph), ...zeroPointsOf(graph)];
}

function namesOf(graph: GraphProto): string[] {
  const faults: string[] = [];
  const nodes = graph.nodes.map(({ name }) => name).filter((name) => name !== "");
  if (new Set(nodes).size < nodes.length) faults.push("two nodes of one name");
  const known = new Set<string>();
  const define = (name: string) => {
    if (known.has(name)) faults.push(`value ${name} is defined twice`);
    known.add(name);
  };
  for (const { name } of [...graph.inputs, ...graph.initializers]) define(name);
  const read = new Set(graph.outputs.map(({ name }) => name));
  for (const { inputs, outputs, opType } of graph.nodes) {
    for (const name of inputs.filter((each) => each !== "")) {
      read.add(name);
      if (!known.has(name)) faults.push(`${opType} reads ${name} before it is there`);
    }
    for (const name of outputs.filter((each) => each !== "")) define(name);
  }
  for (const { name } of graph.outputs) if (!known.has(name)) faults.push(`no output ${name}`);
  for (const { name } of graph.initializers) if (!read.has(name)) faults.push(`${name} is unread`);
  return faults;
}

/** ONNX Runtime's `session.x64quantprecision` replaces zero points by name: each node needs its own. */
function zeroPointsOf({ nodes, initializers }: GraphProto): string[] {
  const constants = new Set(initializers.map(({ name }) => name));
  const places: Readonly<Record<string, readonly number[]>> = {
    QuantizeLinear: [2],
    DequantizeLinear: [2],
    MatMulInteger: [3],
    DynamicQuantizeLSTM: [9, 11],
  };
  const zeros = nodes
    .flatMap(({ opType, inputs }) => (places[opType] ?? []).map((at) => inputs[at] ?? ""))
    .filter((name) => constants.has(name));
  return new Set(zeros).size === zeros.length ? [] : ["two nodes share a zero point"];
}
