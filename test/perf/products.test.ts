// What a product's gradients cost beside the product: Conv, ConvTranspose and ConvGradFilter of the layers of ResNet-20
// and MobileNetV2 at a batch of 32, every dispatch timed, packing of filters and adding of slices included. Weights
// and operands are variables, as in training. Times are this machine's; the ratio is what counts.

import { expect, it } from "vitest";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { bindShapes } from "../../src/graph/bind.ts";
import { windowSize } from "../../src/graph/extents.ts";
import { Program } from "../../src/gpu/program.ts";
import { lower } from "../../src/plan/lower.ts";
import { targetOf } from "../../src/plan/target.ts";
import { testDevice } from "../support/device.ts";
import { floats } from "../support/seeded.ts";

interface Layer {
  readonly inputs: number;
  readonly outs: number;
  readonly size: number;
  readonly window: number;
  readonly stride: number;
  readonly group?: number;
  /** How often the net has it. */
  readonly times: number;
}

const BATCH = Number(process.env["BATCH"] ?? 32);
const REPEATS = 12;

const conv = (inputs: number, outs: number, size: number, times: number, stride = 1): Layer => {
  return { inputs, outs, size, window: 3, stride, times };
};
const pointwise = (inputs: number, outs: number, size: number): Layer => {
  return { inputs, outs, size, window: 1, stride: 1, times: 1 };
};
const depthwise = (channels: number, size: number, stride: number): Layer => {
  return { inputs: channels, outs: channels, size, window: 3, stride, group: channels, times: 1 };
};

const nets: Readonly<Record<string, readonly Layer[]>> = {
  "ResNet-20": [
    conv(3, 16, 32, 1),
    conv(16, 16, 32, 6),
    conv(16, 32, 32, 1, 2),
    conv(32, 32, 16, 5),
    conv(32, 64, 16, 1, 2),
    conv(64, 64, 8, 5),
  ],
  MobileNetV2: [
    pointwise(16, 96, 32),
    depthwise(96, 32, 2),
    pointwise(96, 24, 16),
    pointwise(24, 144, 16),
    depthwise(144, 16, 1),
    pointwise(144, 24, 16),
    depthwise(144, 16, 2),
    pointwise(144, 32, 8),
    pointwise(192, 32, 8),
    pointwise(64, 384, 4),
    depthwise(384, 4, 1),
    pointwise(384, 64, 4),
  ],
};

/** ms of the forward pass, the gradient by the input and that by the filter. */
async function timesOf(
  device: Awaited<ReturnType<typeof testDevice>>,
  { inputs, outs, size, window, stride, group = 1 }: Layer,
): Promise<Record<"forward" | "input" | "filter", number>> {
  const pad = (window - 1) / 2;
  const shared = {
    kernel: [window, window],
    strides: [stride, stride],
    dilations: [1, 1],
    pads: [pad, pad, pad, pad],
    group,
  } as const;
  const builder = new GraphBuilder();
  const place = windowSize(size, shared, 0);
  const x = builder.variable("x", floats([BATCH, inputs, size, size], 1));
  const w = builder.variable("w", floats([outs, inputs / group, window, window], 2));
  const dY = builder.variable("dY", floats([BATCH, outs, place, place], 3));
  builder.add({ op: "Conv", ...shared, name: "forward", inputs: [x, w], outputs: ["y"] });
  const transpose = { op: "ConvTranspose", ...shared, size: [size, size] } as const;
  builder.add({ ...transpose, name: "input", inputs: [dY, w], outputs: ["dX"] });
  const gradient = { op: "ConvGradFilter", ...shared } as const;
  builder.add({ ...gradient, name: "filter", inputs: [x, dY], outputs: ["dW"] });
  const plan = lower(bindShapes(builder.build("layer", [], []), new Map()), targetOf(device.facts));
  using program = await Program.create(device, plan);
  await program.run(new Map());
  // The least of several: noise only adds.
  const repeats: number[][] = [];
  while (repeats.length < REPEATS) repeats.push(await program.timeSteps(1));
  const times = plan.steps.map((_, at) => Math.min(...repeats.map((each) => each[at] ?? 0)));
  const of = (name: string) =>
    plan.steps.reduce((sum, { node }, at) => sum + (node === name ? (times[at] ?? 0) : 0), 0);
  if (process.env["STEPS"]) {
    for (const [at, { node, shader, grid }] of plan.steps.entries())
      console.log(
        `    ${node.padEnd(8)} ${shader.padEnd(24)} ${grid.join("x")} ${times[at]?.toFixed(3)}`,
      );
  }
  return { forward: of("forward"), input: of("input"), filter: of("filter") };
}

it.each(Object.entries(nets))(
  "%s: forward and backward cost at most 3.3 × forward",
  async (net, layers) => {
    using device = await testDevice();
    const total = { forward: 0, input: 0, filter: 0 };
    const rows: string[] = [];
    for (const [at, layer] of layers.entries()) {
      const times = await timesOf(device, layer);
      const isFirst = net === "ResNet-20" && at === 0; // nobody wants the gradient by the pictures
      for (const key of ["forward", "input", "filter"] as const)
        if (key !== "input" || !isFirst) total[key] += times[key] * layer.times;
      const { inputs, outs, size, window, stride, group = 1 } = layer;
      const name = `${group > 1 ? "depthwise" : `${window}×${window}`} ${inputs}→${outs} at ${size}, stride ${stride}`;
      const ms = (value: number) =>
        `${value.toFixed(2).padStart(8)} (${(value / times.forward).toFixed(2)})`;
      rows.push(
        `${name.padEnd(36)} ${times.forward.toFixed(2).padStart(8)} ${ms(times.input)} ${ms(times.filter)}`,
      );
    }
    const ratio = (total.forward + total.input + total.filter) / total.forward;
    const head = `${net}, batch ${BATCH}, ms: forward, by input, by filter (× forward)`;
    console.log(
      [
        head,
        ...rows,
        `forward + backward: ${ratio.toFixed(2)} × forward (${total.forward.toFixed(1)} ms)`,
      ].join("\n"),
    );
    expect(ratio).toBeLessThanOrEqual(3.3);
  },
);
