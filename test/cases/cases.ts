// The failing inputs of ../shared/cases: models that once broke something, what goes in, and what ONNX Runtime says
// comes out. What a case still lacks is listed here, so that nothing is known to fail without standing in this file.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseNpz } from "../../src/formats/npz.ts";
import type { Tensor, Tensors } from "../../src/tensor/tensor.ts";

export const folder = join(import.meta.dirname, "../../../shared/cases");

/** What is looked at. `run`: it loads, and gives ONNX Runtime's numbers. `integers`: its multiply-accumulates run
 *  in integers, and those of its saved file. `save`, `static`, `dynamic`: the file that is written as loaded, after
 *  calibration and without loads in ONNX Runtime and gives our numbers. `size`: that file is as small as SIZES says.
 *  `accuracy`: static quantization keeps `LEAST_SQNR`. */
export type Aspect = "run" | "integers" | "save" | "static" | "dynamic" | "size" | "accuracy";

/** Cases that need an op which is not there yet: they are refused by its name. */
export const LATER = new Map<string, readonly string[]>([
  ["attention23", ["Attention"]],
  ["conv3d", ["Conv"]],
  ["convtranspose2d", ["ConvTranspose"]],
  ["depthtospace_crd", ["DepthToSpace"]],
  ["depthtospace_dcr", ["DepthToSpace"]],
  ["einsum_attn", ["Einsum"]],
  ["fusedconv_relu", ["FusedConv"]],
  ["gather_block_quantized", ["GatherBlockQuantized"]],
  ["gatherelements", ["GatherElements"]],
  ["globalmaxpool", ["GlobalMaxPool"]],
  ["instancenorm", ["InstanceNormalization"]],
  ["loop_const_trip", ["Loop"]],
  ["lrn", ["LRN"]],
  ["mod_fmod", ["Mod"]],
  ["nbits2_b32", ["MatMulNBits"]],
  ["nbits4_zp_float", ["MatMulNBits"]],
  ["nn_hand_prelu.dyn", ["PRelu"]],
  ["nn_llama.ts", ["Cos", "Sin", "Trilu"]],
  ["nn_tasnet.ts", ["ConvTranspose", "InstanceNormalization", "PRelu"]],
  ["nn_unet_transposed.ts", ["ConvTranspose"]],
  ["nn_vae_decoder.ts", ["InstanceNormalization", "Resize"]],
  ["nn_yolo.ts", ["Resize"]],
  ["prelu", ["PRelu"]],
  ["prelu_scalar", ["PRelu"]],
  ["qembedlayernorm_missing", ["QLinearWhere"]],
  ["resize_linear_align_corners", ["Resize"]],
  ["resize_linear_half_pixel", ["Resize"]],
  ["resize_linear_pytorch_half_pixel", ["Resize"]],
  ["resize_nearest_asymmetric", ["Resize"]],
  ["resize_sizes", ["Resize"]],
  ["rmsnorm23", ["RMSNormalization"]],
  ["scan_rnn", ["Scan"]],
  ["scatternd", ["ScatterND"]],
  ["skiplayernorm", ["SkipLayerNormalization"]],
  ["topk", ["TopK"]],
  ["trilu", ["Trilu"]],
]);

/** Cases whose layers must run in integers as loaded, and be saved so. */
export const INTEGERS = new Set([
  "dq_transpose_matmul",
  "i14422_qoperator_pad",
  "qcdq_weights_stored",
  "qdq_conv1d_import",
  "torch_qat_fx_qnnpack",
  "weights_uint8_asym_pc",
  "weights_uint8_asym_pt",
]);

/** Cases whose layers must be quantized to integers by `convert`. */
export const STATIC_INTEGERS = new Set(["m4_matmul_4axes"]);

/** The file that is written for the model as quantized, as a share of the case's file at most. */
export const SIZES = new Map([
  ["m9_long_names", 1],
  ["qdq_conv1d_import", 1.3],
  ["weights_uint8_asym_pc", 1.3],
  ["weights_uint8_asym_pt", 1.3],
]);

/** Cases with one weight that several layers share: an int8 file holds it once. */
export const SHARED = new Set(["shared_weight_two_convs"]);

/** dB that static quantization keeps at least, from the case's own few inputs. */
export const LEAST_SQNR = 12;

/** Known to fail: the test fails where one of these does not. Remove what is mended. */
export const PENDING = new Map<string, readonly Aspect[]>([
  ["m9_long_names", ["size"]],
  ["qdq_conv1d_import", ["size"]],
  ["torch_qat_fx_qnnpack", ["integers"]],
  ["weights_uint8_asym_pc", ["size"]],
  ["weights_uint8_asym_pt", ["size"]],
]);

export interface Case {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly samples: readonly { readonly inputs: Tensors; readonly outputs: Tensors }[];
}

/** Names of all cases; none where the folder is not there, which is said on the console. */
export function caseNames(): string[] {
  if (!existsSync(folder)) {
    console.log("skipped: the cases need ../shared/cases, which is not here");
    return [];
  }
  const files = readdirSync(folder).filter((file) => file.endsWith(".onnx"));
  return files.map((file) => file.slice(0, -".onnx".length)).sort();
}

export function readCase(name: string): Case {
  const bytes = new Uint8Array(readFileSync(join(folder, `${name}.onnx`)));
  const path = join(folder, `${name}.npz`);
  const arrays = existsSync(path)
    ? parseNpz(new Uint8Array(readFileSync(path)))
    : new Map<string, Tensor>();
  const samples: { inputs: Record<string, Tensor>; outputs: Record<string, Tensor> }[] = [];
  for (const [key, tensor] of arrays) {
    const [, kind, index = "", port = ""] = /^(in|out)_(\d+)_(.*)$/s.exec(key) ?? [];
    const sample = (samples[Number(index)] ??= { inputs: {}, outputs: {} });
    (kind === "in" ? sample.inputs : sample.outputs)[port] = tensor;
  }
  return { name, bytes, samples };
}
