// The weight files that torchvision publishes, by torchvision's names: where they lie, what they weigh and
// score, and how their pictures are made. Data of torchvision 0.28; the hash in a file's name is the start
// of its sha256.

import type { Engine } from "../graph/node.ts";
import type { ArchitectureName } from "./architectures.ts";

/** How torchvision makes a picture into numbers: the short side resized, the centre cropped, then
 *  (x / 255 − mean) / std per channel. */
export interface PictureTransform {
  /** Short side in px. */
  readonly resize: number;
  /** Side of the square in px. */
  readonly crop: number;
  readonly interpolation: "bilinear";
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

export interface WeightFile {
  readonly name: string;
  readonly architecture: ArchitectureName;
  readonly url: string;
  /** As torchvision gives it: in units of 2^20 bytes. */
  readonly megabytes: number;
  /** Accuracy on ImageNet-1K, in percent. */
  readonly top1: number;
  readonly top5: number;
  readonly transform: PictureTransform;
  /** Quantized files alone: PyTorch's engine that they were made for. */
  readonly backend?: Engine;
}

const HOST = "https://download.pytorch.org/models/";

const transform = (resize: number, crop: number): PictureTransform => ({
  resize,
  crop,
  interpolation: "bilinear",
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
});

/** Name, file, megabytes, top-1, top-5, resize, crop. */
type Row = readonly [string, string, number, number, number, number?, number?];

function rows(architecture: ArchitectureName, list: readonly Row[]): WeightFile[] {
  return list.map(([name, file, megabytes, top1, top5, resize = 256, crop = 224]) => {
    const backend = /_(FBGEMM|QNNPACK)_/.exec(name)?.[1]?.toLowerCase() as Engine | undefined;
    return {
      name,
      architecture,
      url: `${HOST}${file}`,
      megabytes,
      top1,
      top5,
      transform: transform(resize, crop),
      ...(backend ? { backend } : {}),
    };
  });
}

/** Every file, the float ones of an architecture first. */
export const weightFiles: readonly WeightFile[] = [
  ...rows("mobilenet_v2", [
    ["MobileNet_V2_Weights.IMAGENET1K_V1", "mobilenet_v2-b0353104.pth", 13.555, 71.878, 90.286],
    [
      "MobileNet_V2_Weights.IMAGENET1K_V2",
      "mobilenet_v2-7ebf99e0.pth",
      13.598,
      72.154,
      90.822,
      232,
    ],
    [
      "MobileNet_V2_QuantizedWeights.IMAGENET1K_QNNPACK_V1",
      "quantized/mobilenet_v2_qnnpack_37f702c5.pth",
      3.423,
      71.658,
      90.15,
    ],
  ]),
  ...rows("mobilenet_v3_large", [
    [
      "MobileNet_V3_Large_Weights.IMAGENET1K_V1",
      "mobilenet_v3_large-8738ca79.pth",
      21.114,
      74.042,
      91.34,
    ],
    [
      "MobileNet_V3_Large_Weights.IMAGENET1K_V2",
      "mobilenet_v3_large-5c1a4163.pth",
      21.107,
      75.274,
      92.566,
      232,
    ],
    [
      "MobileNet_V3_Large_QuantizedWeights.IMAGENET1K_QNNPACK_V1",
      "quantized/mobilenet_v3_large_qnnpack-5bcacf28.pth",
      21.554,
      73.004,
      90.858,
    ],
  ]),
  ...rows("resnet18", [
    ["ResNet18_Weights.IMAGENET1K_V1", "resnet18-f37072fd.pth", 44.661, 69.758, 89.078],
    [
      "ResNet18_QuantizedWeights.IMAGENET1K_FBGEMM_V1",
      "quantized/resnet18_fbgemm_16fa66dd.pth",
      11.238,
      69.494,
      88.882,
    ],
  ]),
  ...rows("resnet50", [
    ["ResNet50_Weights.IMAGENET1K_V1", "resnet50-0676ba61.pth", 97.781, 76.13, 92.862],
    ["ResNet50_Weights.IMAGENET1K_V2", "resnet50-11ad3fa6.pth", 97.79, 80.858, 95.434, 232],
    [
      "ResNet50_QuantizedWeights.IMAGENET1K_FBGEMM_V1",
      "quantized/resnet50_fbgemm_bf931d71.pth",
      24.759,
      75.92,
      92.814,
    ],
    [
      "ResNet50_QuantizedWeights.IMAGENET1K_FBGEMM_V2",
      "quantized/resnet50_fbgemm-23753f79.pth",
      24.953,
      80.282,
      94.976,
      232,
    ],
  ]),
  ...rows("resnext101_32x8d", [
    [
      "ResNeXt101_32X8D_Weights.IMAGENET1K_V1",
      "resnext101_32x8d-8ba56ff5.pth",
      339.586,
      79.312,
      94.526,
    ],
    [
      "ResNeXt101_32X8D_Weights.IMAGENET1K_V2",
      "resnext101_32x8d-110c445d.pth",
      339.673,
      82.834,
      96.228,
      232,
    ],
    [
      "ResNeXt101_32X8D_QuantizedWeights.IMAGENET1K_FBGEMM_V1",
      "quantized/resnext101_32x8_fbgemm_09835ccf.pth",
      86.034,
      78.986,
      94.48,
    ],
    [
      "ResNeXt101_32X8D_QuantizedWeights.IMAGENET1K_FBGEMM_V2",
      "quantized/resnext101_32x8_fbgemm-ee16d00c.pth",
      86.645,
      82.574,
      96.132,
      232,
    ],
  ]),
  ...rows("inception_v3", [
    [
      "Inception_V3_Weights.IMAGENET1K_V1",
      "inception_v3_google-0cc3c7bd.pth",
      103.903,
      77.294,
      93.45,
      342,
      299,
    ],
    [
      "Inception_V3_QuantizedWeights.IMAGENET1K_FBGEMM_V1",
      "quantized/inception_v3_google_fbgemm-a2837893.pth",
      23.146,
      77.176,
      93.354,
      342,
      299,
    ],
  ]),
  ...rows("googlenet", [
    ["GoogLeNet_Weights.IMAGENET1K_V1", "googlenet-1378be20.pth", 49.731, 69.778, 89.53],
    [
      "GoogLeNet_QuantizedWeights.IMAGENET1K_FBGEMM_V1",
      "quantized/googlenet_fbgemm-c81f6644.pth",
      12.618,
      69.826,
      89.404,
    ],
  ]),
  ...rows("shufflenet_v2_x0_5", [
    [
      "ShuffleNet_V2_X0_5_Weights.IMAGENET1K_V1",
      "shufflenetv2_x0.5-f707e7126e.pth",
      5.282,
      60.552,
      81.746,
    ],
    [
      "ShuffleNet_V2_X0_5_QuantizedWeights.IMAGENET1K_FBGEMM_V1",
      "quantized/shufflenetv2_x0.5_fbgemm-00845098.pth",
      1.501,
      57.972,
      79.78,
    ],
  ]),
  ...rows("shufflenet_v2_x1_0", [
    [
      "ShuffleNet_V2_X1_0_Weights.IMAGENET1K_V1",
      "shufflenetv2_x1-5666bf0f80.pth",
      8.791,
      69.362,
      88.316,
    ],
    [
      "ShuffleNet_V2_X1_0_QuantizedWeights.IMAGENET1K_FBGEMM_V1",
      "quantized/shufflenetv2_x1_fbgemm-1e62bb32.pth",
      2.334,
      68.36,
      87.582,
    ],
  ]),
  ...rows("shufflenet_v2_x1_5", [
    [
      "ShuffleNet_V2_X1_5_Weights.IMAGENET1K_V1",
      "shufflenetv2_x1_5-3c479a10.pth",
      13.557,
      72.996,
      91.086,
      232,
    ],
    [
      "ShuffleNet_V2_X1_5_QuantizedWeights.IMAGENET1K_FBGEMM_V1",
      "quantized/shufflenetv2_x1_5_fbgemm-d7401f05.pth",
      3.672,
      72.052,
      90.7,
      232,
    ],
  ]),
  ...rows("shufflenet_v2_x2_0", [
    [
      "ShuffleNet_V2_X2_0_Weights.IMAGENET1K_V1",
      "shufflenetv2_x2_0-8be3c8ee.pth",
      28.433,
      76.23,
      93.006,
      232,
    ],
    [
      "ShuffleNet_V2_X2_0_QuantizedWeights.IMAGENET1K_FBGEMM_V1",
      "quantized/shufflenetv2_x2_0_fbgemm-5cac526c.pth",
      7.467,
      75.354,
      92.488,
      232,
    ],
  ]),
];
