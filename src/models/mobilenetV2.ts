// MobileNetV2, https://arxiv.org/abs/1801.04381, as torchvision.models.mobilenet_v2.

import type { Layers } from "./layers.ts";

/** Expansion, channels, repeats, stride of the first. */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

const fused = (name: string) => ({
  conv: `${name}.0`,
  norm: `${name}.1`,
  relu6: `${name}.2`,
});

/** Expand, depthwise, project; the input is added where the shapes allow it. */
function invertedResidual(
  net: Layers,
  x: string,
  name: string,
  expansion: number,
  outs: number,
  stride: number,
): string {
  const ins = net.channels(x);
  const hidden = ins * expansion;
  let y = x;
  let at = 0;
  if (expansion !== 1) {
    y = net.conv(y, fused(`${name}.conv.${at++}`), { outs: hidden, kernel: 1 });
  }
  const depthwise = { outs: hidden, group: hidden, kernel: 3, stride, padding: 1 };
  y = net.conv(y, fused(`${name}.conv.${at++}`), depthwise);
  const project = { conv: `${name}.conv.${at}`, norm: `${name}.conv.${at + 1}` };
  y = net.conv(y, project, { outs, kernel: 1 });
  return stride === 1 && ins === outs ? net.add(x, y, `${name}.skip_add`) : y;
}

export function mobilenetV2(net: Layers, x: string): string {
  let y = net.conv(x, fused("features.0"), { outs: 32, kernel: 3, stride: 2, padding: 1 });
  let at = 1;
  for (const [expansion, outs, repeats, first] of STAGES) {
    for (let i = 0; i < repeats; i++) {
      y = invertedResidual(net, y, `features.${at++}`, expansion, outs, i === 0 ? first : 1);
    }
  }
  y = net.conv(y, fused(`features.${at}`), { outs: 1280, kernel: 1 });
  y = net.flatten(net.globalPool(y, "avgpool"));
  return net.linear(y, "classifier.1", net.weights.rows("classifier.1.weight", 1000), "logits");
}
