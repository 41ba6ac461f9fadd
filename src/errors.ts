// Every failure a caller can act on: one small class each, a literal `code`, the facts as fields.
// Messages read: <Op> "<node name>": <rule broken>; got <what came>. <The way out>.
// Anything else that is thrown is a bug of this library and says "please report".

export type ErrorCode =
  | "format"
  | "unsupported"
  | "input"
  | "weights"
  | "download"
  | "picture"
  | "no-webgpu"
  | "no-adapter"
  | "blocked"
  | "software-adapter"
  | "missing-feature"
  | "device-lost"
  | "gpu"
  | "limit"
  | "self-test"
  | "non-finite"
  | "accumulator"
  | "memory-budget"
  | "qconfig"
  | "stage"
  | "training"
  | "checkpoint"
  | "disposed";

/** The base class: `code` for programs, `message` for people. Names are literal, since minifiers
 *  rename classes. */
export abstract class WebGpuQuantError extends Error {
  abstract readonly code: ErrorCode;
}

/** The bytes are not the format they should be. `offset` is in bytes from the start of the file. */
export class FormatError extends WebGpuQuantError {
  override readonly name = "FormatError";
  readonly code = "format";
  readonly format: string;
  readonly offset: number | undefined;
  constructor(format: string, problem: string, wayOut: string, offset?: number) {
    super(`${format}${offset === undefined ? "" : ` at byte ${offset}`}: ${problem}. ${wayOut}`);
    this.format = format;
    this.offset = offset;
  }
}

/** One node that cannot be imported or run, and what is missing. */
export interface Unsupported {
  readonly op: string;
  readonly node: string;
  readonly problem: string;
}

/** The model needs something this library does not do: every offending node, before anything runs. */
export class UnsupportedError extends WebGpuQuantError {
  override readonly name = "UnsupportedError";
  readonly code = "unsupported";
  readonly nodes: readonly Unsupported[];
  constructor(where: string, nodes: readonly Unsupported[], wayOut: string) {
    const lines = nodes.map(({ op, node, problem }) => `  ${op} "${node}": ${problem}`);
    super(`${where}: ${nodes.length} unsupported node(s):\n${lines.join("\n")}\n${wayOut}`);
    this.nodes = nodes;
  }
}

/** An argument of a verb is not what it should be. */
export class InputError extends WebGpuQuantError {
  override readonly name = "InputError";
  readonly code = "input";
}

/** A state dict does not fit an architecture: every entry that is wrong, in one error. */
export class WeightsError extends WebGpuQuantError {
  override readonly name = "WeightsError";
  readonly code = "weights";
  readonly missing: readonly string[];
  /** "name: must have …; got …" of entries of the wrong shape, dtype or parameters. */
  readonly misshapen: readonly string[];
  readonly unexpected: readonly string[];
  constructor(
    model: string,
    missing: readonly string[],
    misshapen: readonly string[],
    unexpected: readonly string[],
  ) {
    const list = (word: string, lines: readonly string[]) =>
      lines.length > 0 ? `\n  ${lines.length} ${word}:\n    ${lines.join("\n    ")}` : "";
    super(
      `${model}: the weights do not fit the architecture:` +
        `${list("missing", missing)}${list("misshapen", misshapen)}${list("unexpected", unexpected)}\n` +
        "Check that the file belongs to this architecture, and whether it is quantized (quantize).",
    );
    this.missing = missing;
    this.misshapen = misshapen;
    this.unexpected = unexpected;
  }
}

/** A file could not be fetched, or is not the file it should be. */
export class DownloadError extends WebGpuQuantError {
  override readonly name = "DownloadError";
  readonly code = "download";
  readonly url: string;
  constructor(url: string, problem: string, wayOut: string) {
    super(`download ${url}: ${problem}. ${wayOut}`);
    this.url = url;
  }
}

/** A picture cannot be read; `picture` names it. */
export class PictureError extends WebGpuQuantError {
  override readonly name = "PictureError";
  readonly code = "picture";
  readonly picture: string;
  readonly problem: string;
  readonly wayOut: string;
  constructor(picture: string, problem: string, wayOut: string) {
    super(`picture "${picture}": ${problem}. ${wayOut}`);
    this.picture = picture;
    this.problem = problem;
    this.wayOut = wayOut;
  }
}

/** The runtime has no WebGPU at all. */
export class NoWebGpuError extends WebGpuQuantError {
  override readonly name = "NoWebGpuError";
  readonly code = "no-webgpu";
}

/** WebGPU is there, but no adapter. */
export class NoAdapterError extends WebGpuQuantError {
  override readonly name = "NoAdapterError";
  readonly code = "no-adapter";
}

/** The browser has WebGPU and refuses it to this page now. */
export class BlockedError extends WebGpuQuantError {
  override readonly name = "BlockedError";
  readonly code = "blocked";
}

/** Only a software adapter is there, and the caller wants none. */
export class SoftwareAdapterError extends WebGpuQuantError {
  override readonly name = "SoftwareAdapterError";
  readonly code = "software-adapter";
}

/** The adapter lacks features that the caller asked for. */
export class MissingFeatureError extends WebGpuQuantError {
  override readonly name = "MissingFeatureError";
  readonly code = "missing-feature";
  readonly features: readonly string[];
  constructor(message: string, features: readonly string[]) {
    super(message);
    this.features = features;
  }
}

/** The device is gone; every later call fails with this. */
export class DeviceLostError extends WebGpuQuantError {
  override readonly name = "DeviceLostError";
  readonly code = "device-lost";
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(
      `device lost (${reason}): ${message || "no message"}. Request a new device and compile again, or go on with session.recover().`,
    );
    this.reason = reason;
  }
}

/** The GPU refused a command or ran out of memory. */
export class GpuError extends WebGpuQuantError {
  override readonly name = "GpuError";
  readonly code = "gpu";
}

/** A tensor or its weights are larger than the device can hold or bind: said before anything is compiled. */
export class LimitError extends WebGpuQuantError {
  override readonly name = "LimitError";
  readonly code = "limit";
  readonly node: string;
  /** Bytes. */
  readonly needed: number;
  readonly limit: number;
  constructor(
    message: string,
    over: { readonly node: string; readonly needed: number; readonly limit: number },
  ) {
    super(message);
    this.node = over.node;
    this.needed = over.needed;
    this.limit = over.limit;
  }
}

/** A kernel family gave a wrong answer to a known question on this adapter. */
export class SelfTestError extends WebGpuQuantError {
  override readonly name = "SelfTestError";
  readonly code = "self-test";
}

/** Where a non-finite value was found, and among how many. */
export interface FoundNonFinite {
  readonly tensor: string;
  /** What the tensor is to the model. */
  readonly kind:
    "input" | "output" | "value" | "constant" | "weight" | "bias" | "scale" | "attribute";
  /** The first one: NaN, ∞ or −∞, and its index in the tensor's data. */
  readonly value: number;
  readonly first: number;
  readonly count: number;
  /** Which batch of the data, from 0 on, where there are several. */
  readonly batch?: number | undefined;
}

/** NaN or ±∞ where numbers are needed: in an input, a weight, or a value on the way. A network would make a
 *  plausible answer of them. */
export class NonFiniteError extends WebGpuQuantError {
  override readonly name = "NonFiniteError";
  readonly code = "non-finite";
  readonly tensor: string;
  /** Undefined where the data has no batches. */
  readonly batch: number | undefined;
  readonly count: number;
  /** Of the first one, in the tensor's data. */
  readonly index: number;
  /** The first one: NaN, Infinity or -Infinity. */
  readonly value: number;
  /** `waysOut`: what to do, the best first. */
  constructor(where: string, found: FoundNonFinite, waysOut: readonly string[]) {
    const { tensor, kind, value, first, count, batch } = found;
    const place = batch === undefined ? "" : `batch ${batch}, `;
    super(
      `${where}: ${place}${kind} "${tensor}": must be finite; got ${value} at index ${first}` +
        `${count > 1 ? `, the first of ${count} such values` : ""}. ${waysOut.join(", or ")}.`,
    );
    this.tensor = tensor;
    this.batch = batch;
    this.count = count;
    this.index = first;
    this.value = value;
  }
}

/** An int32 accumulator could overflow: docs/quantization.md (28). */
export class AccumulatorError extends WebGpuQuantError {
  override readonly name = "AccumulatorError";
  readonly code = "accumulator";
}

/** A training step does not fit into the memory it may take, whatever of it is computed again. */
export class MemoryBudgetError extends WebGpuQuantError {
  override readonly name = "MemoryBudgetError";
  readonly code = "memory-budget";
  readonly budget: number;
  /** The fewest bytes that were found. */
  readonly least: number;
  constructor(budget: number, least: number) {
    super(
      `recompute: the values of a step must fit in ${budget} bytes; got ${least} at least. ` +
        "Give it so many, or train with a smaller batch and accumulate gradients.",
    );
    this.budget = budget;
    this.least = least;
  }
}

/** A qconfig that cannot be met. */
export class QConfigError extends WebGpuQuantError {
  override readonly name = "QConfigError";
  readonly code = "qconfig";
}

/** A model at the wrong stage for a verb (from JavaScript; TypeScript refuses it). */
export class StageError extends WebGpuQuantError {
  override readonly name = "StageError";
  readonly code = "stage";
}

/** Training cannot go on from a checkpoint, or cannot store one. `reason`: "damaged": its bytes are not what was
 *  written; "version": another version of this library wrote it; "model": it is of another model; "full": there is
 *  no room for it; "store": the place where it is kept cannot be read or written. */
export class CheckpointError extends WebGpuQuantError {
  override readonly name = "CheckpointError";
  readonly code = "checkpoint";
  readonly reason: "damaged" | "version" | "model" | "full" | "store";
  constructor(reason: CheckpointError["reason"], problem: string, wayOut: string, cause?: unknown) {
    super(`checkpoint: ${problem}. ${wayOut}`, cause === undefined ? {} : { cause });
    this.reason = reason;
  }
}

/** Something was used after its dispose(). */
export class DisposedError extends WebGpuQuantError {
  override readonly name = "DisposedError";
  readonly code = "disposed";
}

/** A training broke: its loss is no finite number. The step changed no parameter. */
export class TrainingError extends WebGpuQuantError {
  override readonly name = "TrainingError";
  readonly code = "training";
  readonly epoch: number;
  /** Counts from 0 over all epochs. */
  readonly step: number;
  /** What was the first not to be finite. */
  readonly layer: string;
  /** The step that the last checkpoint was kept after. */
  readonly checkpoint: number | undefined;
  constructor(
    failed: {
      readonly epoch: number;
      readonly step: number;
      readonly loss: number;
      readonly checkpoint: number | undefined;
    },
    layer: string,
    got: string,
  ) {
    const { epoch, step, loss, checkpoint } = failed;
    const wayOut =
      checkpoint === undefined
        ? "Lower the learning rate, clip gradients (maxNorm), or check the data; give a checkpoint store to go on from."
        : `The last good checkpoint is of step ${checkpoint}: go on from there with a lower learning rate or maxNorm.`;
    super(
      `train: epoch ${epoch}, step ${step}: the loss must be finite; got ${loss}, first seen in ${layer}: ` +
        `${got}. ${wayOut}`,
    );
    this.epoch = epoch;
    this.step = step;
    this.layer = layer;
    this.checkpoint = checkpoint;
  }
}
