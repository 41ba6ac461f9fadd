// ResNet and ResNeXt, https://arxiv.org/abs/1512.03385 and 1611.05431, as torchvision.models: the stride
// of a bottleneck is in its 3 × 3 convolution.

import type { Layers } from "./layers.ts";

export interface ResNet {
  readonly block: "basic" | "bottleneck";
  /** Blocks of each of the four stages. */
  readonly layers: readonly [number, number, number, number];
  readonly groups?: number;
  /** Channels of one group at the first stage. */
  readonly widthPerGroup?: number;
}

const names = (name: string, index: number, relu?: string) => ({
  conv: `${name}.conv${index}`,
  norm: `${name}.bn${index}`,
  ...(relu === undefined ? {} : { relu: `${name}.${relu}` }),
});

/** The identity, or a projection where the shape changes. */
function shortcut(net: Layers, x: string, name: string, outs: number, stride: number): string {
  if (stride === 1 && net.channels(x) === outs) return x;
  const projection = { conv: `${name}.downsample.0`, norm: `${name}.downsample.1` };
  return net.conv(x, projection, { outs, kernel: 1, stride });
}

function basic(net: Layers, x: string, name: string, planes: number, stride: number): string {
  let y = net.conv(x, names(name, 1, "relu"), { outs: planes, kernel: 3, stride, padding: 1 });
  y = net.conv(y, names(name, 2), { outs: planes, kernel: 3, padding: 1 });
  return net.add(y, shortcut(net, x, name, planes, stride), `${name}.add_relu`, true);
}

function bottleneck(
  net: Layers,
  x: string,
  name: string,
  planes: number,
  stride: number,
  { groups = 1, widthPerGroup = 64 }: ResNet,
): string {
  const width = Math.floor((planes * widthPerGroup) / 64) * groups;
  const outs = planes * 4;
  let y = net.conv(x, names(name, 1, "relu1"), { outs: width, kernel: 1 });
  const middle = { outs: width, kernel: 3, stride, padding: 1, group: groups };
  y = net.conv(y, names(name, 2, "relu2"), middle);
  y = net.conv(y, names(name, 3), { outs, kernel: 1 });
  return net.add(y, shortcut(net, x, name, outs, stride), `${name}.skip_add_relu`, true);
}

export function resnet(net: Layers, x: string, config: ResNet): string {
  const stem = { conv: "conv1", norm: "bn1", relu: "relu" };
  let y = net.conv(x, stem, { outs: 64, kernel: 7, stride: 2, padding: 3 });
  y = net.maxPool(y, "maxpool", { kernel: 3, stride: 2, padding: 1 });
  config.layers.forEach((blocks, stage) => {
    for (let i = 0; i < blocks; i++) {
      const name = `layer${stage + 1}.${i}`;
      const stride = stage > 0 && i === 0 ? 2 : 1;
      const planes = 64 * 2 ** stage;
      y =
        config.block === "basic"
          ? basic(net, y, name, planes, stride)
          : bottleneck(net, y, name, planes, stride, config);
    }
  });
  y = net.flatten(net.globalPool(y, "avgpool"));
  return net.linear(y, "fc", net.weights.rows("fc.weight", 1000), "logits");
}
