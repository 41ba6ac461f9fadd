// MobileNetV3-Large, https://arxiv.org/abs/1905.02244, as torchvision.models.mobilenet_v3_large.

import type { Layers } from "./layers.ts";

interface Block {
  readonly kernel: number;
  readonly hidden: number;
  readonly outs: number;
  readonly squeeze: boolean;
  readonly activation: "relu" | "hardSwish";
  readonly stride: number;
}

const block = (
  kernel: number,
  hidden: number,
  outs: number,
  squeeze: boolean,
  activation: Block["activation"],
  stride: number,
): Block => ({ kernel, hidden, outs, squeeze, activation, stride });

const BLOCKS: readonly Block[] = [
  block(3, 16, 16, false, "relu", 1),
  block(3, 64, 24, false, "relu", 2),
  block(3, 72, 24, false, "relu", 1),
  block(5, 72, 40, true, "relu", 2),
  block(5, 120, 40, true, "relu", 1),
  block(5, 120, 40, true, "relu", 1),
  block(3, 240, 80, false, "hardSwish", 2),
  block(3, 200, 80, false, "hardSwish", 1),
  block(3, 184, 80, false, "hardSwish", 1),
  block(3, 184, 80, false, "hardSwish", 1),
  block(3, 480, 112, true, "hardSwish", 1),
  block(3, 672, 112, true, "hardSwish", 1),
  block(5, 672, 160, true, "hardSwish", 2),
  block(5, 960, 160, true, "hardSwish", 1),
  block(5, 960, 160, true, "hardSwish", 1),
];

/** The nearest multiple of 8, at least 8 and not below nine tenths of `value`. */
function divisible(value: number): number {
  const near = Math.max(8, Math.floor((value + 4) / 8) * 8);
  return near < 0.9 * value ? near + 8 : near;
}

/** Convolution, normalization and activation; hard swish is a module with parameters of its own. */
function activated(
  net: Layers,
  x: string,
  name: string,
  activation: Block["activation"],
  spec: Parameters<Layers["conv"]>[2],
): string {
  const names = { conv: `${name}.0`, norm: `${name}.1` };
  if (activation === "relu") return net.conv(x, { ...names, relu: `${name}.2` }, spec);
  return net.hardSwish(net.conv(x, names, spec), `${name}.2`);
}

/** Squeeze-and-excitation: each channel times a gate made of all channels' means. */
function squeezeExcitation(net: Layers, x: string, name: string): string {
  const channels = net.channels(x);
  const squeezed = divisible(Math.floor(channels / 4));
  let gate = net.globalPool(x, `${name}.avgpool`);
  const first = { conv: `${name}.fc1`, relu: `${name}.activation` };
  gate = net.conv(gate, first, { outs: squeezed, kernel: 1 });
  gate = net.conv(gate, { conv: `${name}.fc2` }, { outs: channels, kernel: 1 });
  gate = net.hardSigmoid(gate, `${name}.scale_activation`);
  return net.multiply(gate, x, `${name}.skip_mul`);
}

function invertedResidual(net: Layers, x: string, name: string, spec: Block): string {
  const { kernel, hidden, outs, squeeze, activation, stride } = spec;
  const ins = net.channels(x);
  let at = 0;
  let y = x;
  const next = () => `${name}.block.${at++}`;
  if (hidden !== ins) y = activated(net, y, next(), activation, { outs: hidden, kernel: 1 });
  const depthwise = { outs: hidden, group: hidden, kernel, stride, padding: (kernel - 1) / 2 };
  y = activated(net, y, next(), activation, depthwise);
  if (squeeze) y = squeezeExcitation(net, y, next());
  const last = next();
  y = net.conv(y, { conv: `${last}.0`, norm: `${last}.1` }, { outs, kernel: 1 });
  return stride === 1 && ins === outs ? net.add(x, y, `${name}.skip_add`) : y;
}

export function mobilenetV3Large(net: Layers, x: string): string {
  const stem = { outs: 16, kernel: 3, stride: 2, padding: 1 };
  let y = activated(net, x, "features.0", "hardSwish", stem);
  BLOCKS.forEach((spec, index) => {
    y = invertedResidual(net, y, `features.${index + 1}`, spec);
  });
  const last = `features.${BLOCKS.length + 1}`;
  y = activated(net, y, last, "hardSwish", { outs: 960, kernel: 1 });
  y = net.flatten(net.globalPool(y, "avgpool"));
  y = net.hardSwish(net.linear(y, "classifier.0", 1280), "classifier.1");
  return net.linear(y, "classifier.3", net.weights.rows("classifier.3.weight", 1000), "logits");
}
