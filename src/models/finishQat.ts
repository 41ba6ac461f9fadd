// The checkpoint of a quantization-aware training, before PyTorch's convert: float weights with their
// normalizations, and observers. This is that convert: fold (21), quantize weights by (10) and (2), and
// choose the activations' parameters by (9). torchvision's quantized mobilenet_v3_large is such a file.

import type { StateDict, StateEntry } from "../formats/torch/stateDict.ts";
import { quantizeTensor } from "../graph/arithmetic.ts";
import type { Engine } from "../graph/node.ts";
import { foldNorm } from "../quantize/fuse.ts";
import { chooseQParams, type Range } from "../quantize/qparams.ts";
import { rangeOfConstant } from "../quantize/weights.ts";
import { fl } from "../tensor/rounding.ts";
import { float32, tensor, type Tensor } from "../tensor/tensor.ts";

const WEIGHT = ".weight_fake_quant.";
const OBSERVED = ".activation_post_process.activation_post_process.min_val";

/** Whether `state` has fake-quantized weights. */
export function isQat(state: StateDict): boolean {
  return [...state.keys()].some((name) => name.includes(WEIGHT));
}

const minMax = { kind: "minMax" } as const;

/** convert shows the folded weight to the training's own observer once more: a moving average, docs/
 *  quantization.md (11), unless the training disabled it. */
function observeOnce(state: StateDict, name: string, seen: Range): Range {
  const enabled = state.get(`${name}observer_enabled`)?.tensor.data[0] ?? 1;
  const move = (field: string, now: Float32Array) => {
    const before = state.get(`${name}activation_post_process.${field}`)?.tensor.data;
    if (!(before instanceof Float32Array) || before.length !== now.length) return now;
    if (!before.every(Number.isFinite)) return now;
    if (Number(enabled) === 0) return before;
    return before.map((m, c) => fl(m + fl(fl(0.01) * fl((now[c] ?? m) - m))));
  };
  return { min: move("min_val", seen.min), max: move("max_val", seen.max) };
}

/** The quantized state dict that PyTorch's convert makes of `state`. Entries that are no part of the
 *  training's machinery stay as they are. */
export function finishQat(
  state: StateDict,
  { engine, epsilon }: { readonly engine: Engine; readonly epsilon: number },
): StateDict {
  const floats = (name: string) => state.get(name)?.tensor.data as Float32Array | undefined;
  const finished = new Map<string, StateEntry>();
  for (const [name, entry] of state) {
    const isMachinery = /\.(weight_fake_quant|activation_post_process|bn)\./.test(name);
    if (!isMachinery) finished.set(name, entry);
  }
  const layers = new Set(
    [...state.keys()].flatMap((name) =>
      name.includes(WEIGHT) ? [name.split(WEIGHT)[0] ?? ""] : [],
    ),
  );
  for (const module of layers) {
    const entry = state.get(`${module}.weight`);
    if (entry?.tensor.dtype !== "float32") continue; // missing: the architecture's error will say so
    let filter = entry.tensor as Tensor<"float32">;
    const gamma = floats(`${module}.bn.weight`);
    if (gamma) {
      const folded = foldNorm(filter, floats(`${module}.bias`), {
        gamma,
        beta: floats(`${module}.bn.bias`),
        mean: floats(`${module}.bn.running_mean`),
        variance: floats(`${module}.bn.running_var`),
        epsilon,
      });
      filter = folded.filter;
      finished.set(`${module}.bias`, { tensor: folded.bias });
    }
    const axis = engine === "fbgemm" ? 0 : undefined;
    const range = observeOnce(state, `${module}${WEIGHT}`, rangeOfConstant(filter, axis));
    const quant = chooseQParams(range, {
      dtype: "int8",
      scheme: "symmetric",
      granularity: axis === undefined ? "perTensor" : { perAxis: axis },
      observer: minMax,
    });
    finished.set(`${module}.weight`, { tensor: quantizeTensor(filter, quant), quant });
  }
  for (const name of state.keys()) {
    if (!name.endsWith(OBSERVED)) continue;
    const module = name.slice(0, -OBSERVED.length);
    const [min = NaN] = floats(name) ?? [];
    const [max = NaN] = floats(name.replace(/min_val$/, "max_val")) ?? [];
    const { scale, zeroPoint } = chooseQParams(
      { min: Float32Array.of(min), max: Float32Array.of(max) },
      {
        dtype: "uint8",
        scheme: "affine",
        granularity: "perTensor",
        observer: minMax,
        reduceRange: engine === "fbgemm",
      },
    );
    finished.set(`${module}.scale`, { tensor: float32([], scale) });
    finished.set(`${module}.zero_point`, { tensor: tensor("int32", [], zeroPoint) });
  }
  return finished;
}
