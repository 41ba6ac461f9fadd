// Graphs with variables, run several times in a row: by the reference, and on a device. Both give the variables as
// each run left them, and the outputs.

import { bindShapes } from "../../src/graph/bind.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { Device } from "../../src/gpu/device.ts";
import { layoutOf, unpackLayout } from "../../src/plan/layout.ts";
import type { Program } from "../../src/gpu/program.ts";
import type { Target } from "../../src/plan/target.ts";
import { interpret } from "../../src/reference/interpret.ts";
import { Session } from "../../src/session.ts";
import { tensor, type Tensor, type Tensors } from "../../src/tensor/tensor.ts";
import { difference, type Closeness } from "./cases.ts";

/** Variables and outputs after a run, by name. */
export type After = ReadonlyMap<string, Tensor>;

/** What the reference makes of `feeds`, run after run. */
export function interpretRuns(graph: Graph, feeds: readonly Tensors[]): After[] {
  let variables = graph.variables ?? new Map<string, Tensor>();
  return feeds.map((inputs) => {
    const values = interpret(bindShapes({ ...graph, variables }, new Map()), inputs);
    variables = new Map([...variables.keys()].map((name) => [name, values.get(name)!]));
    return new Map([
      ...variables,
      ...graph.outputs.map((name) => [name, values.get(name)!] as const),
    ]);
  });
}

/** The variables of `program`, by name, and the raw words of each: padding included. */
export async function variablesOf(program: Program) {
  const parts = await program.readVariables();
  return new Map(
    program.plan.variables.map(({ name, dtype, shape }, index) => {
      const Array = dtype === "float32" ? Float32Array : Int32Array;
      const stored = new Array(parts[index]!);
      const data = unpackLayout(layoutOf(shape), stored);
      return [name, { tensor: tensor(dtype, shape, data as Float32Array), stored }] as const;
    }),
  );
}

/** What `device` makes of `feeds`, run after run. */
export async function deviceRuns(
  device: Device,
  graph: Graph,
  feeds: readonly Tensors[],
  target?: Target,
): Promise<After[]> {
  using session = new Session(graph, device, target);
  const results: After[] = [];
  for (const inputs of feeds) {
    const outputs = await session.run(inputs);
    const variables = await variablesOf(await session.program(inputs));
    results.push(
      new Map([
        ...[...variables].map(([name, value]) => [name, value.tensor] as const),
        ...Object.entries(outputs),
      ]),
    );
  }
  return results;
}

/** Throws unless `device` leaves what the reference leaves, after every run. */
export async function checkRuns(
  device: Device,
  graph: Graph,
  feeds: readonly Tensors[],
  closeness?: Closeness,
  target?: Target,
): Promise<void> {
  const want = interpretRuns(graph, feeds);
  const got = await deviceRuns(device, graph, feeds, target);
  want.forEach((after, run) => {
    for (const [name, value] of after) {
      const wrong = difference(got[run]!.get(name), value, closeness);
      if (wrong !== undefined) throw new Error(`run ${run}, ${name}: ${wrong}`);
    }
  });
}
