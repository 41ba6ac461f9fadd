// The CIFAR-10 ResNets of https://arxiv.org/abs/1512.03385, section 4.2, with option-A shortcuts, by the
// names of https://github.com/akamaster/pytorch_resnet_cifar10.

import type { Layers } from "./layers.ts";

/** `blocks` of each of three stages: depth = 6 · blocks + 2. */
export function cifarResnet(net: Layers, x: string, blocks: number): string {
  const stem = { conv: "conv1", norm: "bn1", relu: "relu" };
  let y = net.conv(x, stem, { outs: 16, kernel: 3, padding: 1 });
  for (let stage = 0; stage < 3; stage++) {
    const outs = 16 * 2 ** stage;
    for (let i = 0; i < blocks; i++) {
      const name = `layer${stage + 1}.${i}`;
      const stride = stage > 0 && i === 0 ? 2 : 1;
      const first = { conv: `${name}.conv1`, norm: `${name}.bn1`, relu: `${name}.relu` };
      const second = { conv: `${name}.conv2`, norm: `${name}.bn2` };
      const inner = net.conv(y, first, { outs, kernel: 3, stride, padding: 1 });
      const branch = net.conv(inner, second, { outs, kernel: 3, padding: 1 });
      const shortcut = stride === 1 ? y : net.subsample(y, `${name}.shortcut`, outs);
      y = net.add(branch, shortcut, `${name}.add`, true);
    }
  }
  y = net.flatten(net.globalPool(y, "avgpool"));
  return net.linear(y, "linear", net.weights.rows("linear.weight", 10), "logits");
}
