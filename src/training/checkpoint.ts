// A checkpoint: all that training needs to go on to the bit, as bytes. A head of 24 bytes (magic, version, CRC-32
// and length of the rest, little-endian), then a safetensors file whose tensors are the graph's variables and whose
// metadata are the counters. Nothing is read before the checksum agrees.

import { CheckpointError, FormatError, InputError } from "../errors.ts";
import { readSafetensors, writeSafetensors } from "../formats/safetensors/index.ts";
import { SAFETENSORS_LIMITS } from "../formats/safetensors/limits.ts";
import { crc32 } from "../formats/zip/crc32.ts";
import type { Graph } from "../graph/graph.ts";
import { printGraph } from "../graph/print.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { RandomState } from "./random.ts";

export interface Checkpoint {
  /** Steps done since training began; one a batch. */
  readonly step: number;
  /** Updates of parameters done: fewer than steps where gradients are accumulated. */
  readonly update: number;
  /** The epoch that training is in, from 0 on, and the batches of it that are done. */
  readonly epoch: number;
  readonly position: number;
  /** The state of a generator that runs along with training, where there is one. */
  readonly random?: RandomState;
  /** What model this is of: `fingerprintOf`. */
  readonly model: string;
  /** Every variable of the training graph: parameters, statistics, and what the optimizer remembers. */
  readonly variables: ReadonlyMap<string, Tensor>;
  /** Text of the caller's own, up to 64 KiB each. */
  readonly metadata?: ReadonlyMap<string, string>;
}

const MAGIC = new TextEncoder().encode("wgqckpt\n");
const VERSION = 1;
const HEAD = 24;
const COUNTERS = ["step", "update", "epoch", "position"] as const;
/** Before the caller's own keys. */
const OWN = "user.";
/** Braces, quotes and escapes of a metadata text in JSON stay within what the reader takes. */
const LONGEST_TEXT = SAFETENSORS_LIMITS.nameBytes / 8;

const DAMAGED = "Go on from an earlier checkpoint, or start again.";

const damaged = (problem: string, cause?: unknown) =>
  new CheckpointError("damaged", problem, DAMAGED, cause);

/** What tells a model from others: its nodes, shapes and constants, but not the data of its variables. It catches
 *  mistakes, not attacks. */
export function fingerprintOf(graph: Graph): string {
  const text = new TextEncoder().encode(printGraph(graph));
  const parts = [...graph.constants].map(([name, { data }]) => {
    const { buffer, byteOffset, byteLength } = data;
    return `${name} ${crc32(new Uint8Array(buffer, byteOffset, byteLength))}`;
  });
  const constants = new TextEncoder().encode(parts.sort().join("\n"));
  return [text, constants].map((bytes) => crc32(bytes).toString(16).padStart(8, "0")).join("");
}

/** The bytes of `checkpoint`. Throws InputError for what could not be read back: counters that are no whole numbers,
 *  variables that are neither float32 nor int32, long metadata. */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  const { variables, metadata = new Map<string, string>(), random, model } = checkpoint;
  const texts = new Map<string, string>([["model", model]]);
  for (const counter of COUNTERS) {
    const value = checkpoint[counter];
    if (!Number.isSafeInteger(value) || value < 0)
      throw new InputError(
        `checkpoint: ${counter} must be a whole number from 0 on; got ${value}. Count on.`,
      );
    texts.set(counter, String(value));
  }
  if (random) texts.set("random", random.join(" "));
  for (const [key, text] of metadata) {
    if (key.length + text.length > LONGEST_TEXT) {
      throw new InputError(
        `checkpoint: metadata "${key.slice(0, 60)}" must have at most ${LONGEST_TEXT} characters; got ` +
          `${key.length + text.length}. Keep long texts elsewhere.`,
      );
    }
    texts.set(`${OWN}${key}`, text);
  }
  for (const [name, { dtype }] of variables) {
    if (dtype === "float32" || dtype === "int32") continue;
    throw new InputError(
      `checkpoint: variable "${name}" must be float32 or int32; got ${dtype}. Convert it.`,
    );
  }
  const rest = writeSafetensors(variables, texts);
  const bytes = new Uint8Array(HEAD + rest.length);
  bytes.set(MAGIC);
  bytes.set(rest, HEAD);
  const head = new DataView(bytes.buffer);
  head.setUint32(8, VERSION, true);
  head.setUint32(12, crc32(rest), true);
  head.setBigUint64(16, BigInt(rest.length), true);
  return bytes;
}

function counterOf(texts: ReadonlyMap<string, string>, name: string): number {
  const text = texts.get(name);
  if (text !== undefined && /^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text)))
    return Number(text);
  throw damaged(`"${name}" must be a whole number; got ${JSON.stringify(text)}`);
}

function randomOf(text: string | undefined): RandomState | undefined {
  if (text === undefined) return undefined;
  const words = text.split(" ").map((word) => (/^\d{1,10}$/.test(word) ? Number(word) : Infinity));
  const [a, b, c, counter, ...more] = words;
  const isState = words.every((word) => word < 2 ** 32) && more.length === 0;
  if (isState && a !== undefined && b !== undefined && c !== undefined && counter !== undefined)
    return [a, b, c, counter];
  throw damaged(`"random" must be four words; got ${JSON.stringify(text.slice(0, 60))}`);
}

function payloadOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length < HEAD) throw damaged(`it must have ${HEAD} bytes or more; got ${bytes.length}`);
  if (MAGIC.some((byte, at) => bytes[at] !== byte))
    throw damaged("it must begin as a checkpoint does; this is another file");
  const head = new DataView(bytes.buffer, bytes.byteOffset, HEAD);
  const version = head.getUint32(8, true);
  if (version !== VERSION) {
    throw new CheckpointError(
      "version",
      `version ${version} is not the one that this library reads, ${VERSION}`,
      "Go on with the version of the library that wrote it, or start again.",
    );
  }
  const rest = bytes.subarray(HEAD);
  const length = head.getBigUint64(16, true);
  if (length !== BigInt(rest.length))
    throw damaged(`${length} bytes must follow its head; got ${rest.length}`);
  const [want, got] = [head.getUint32(12, true), crc32(rest)];
  if (want !== got) throw damaged(`its checksum must be ${want}; got ${got}`);
  return rest;
}

/**
 * The checkpoint in `bytes`, its tensors views on them.
 * @param model What it must be a checkpoint of: `fingerprintOf`.
 * @throws CheckpointError "damaged", "version" or "model".
 */
export function decodeCheckpoint(bytes: Uint8Array, model?: string): Checkpoint {
  const rest = payloadOf(bytes);
  let file: ReturnType<typeof readSafetensors>;
  try {
    file = readSafetensors(rest);
  } catch (error) {
    if (error instanceof FormatError) throw damaged("its tensors cannot be read", error);
    throw error;
  }
  const { tensors, metadata: texts } = file;
  const found = texts.get("model");
  if (found === undefined) throw damaged('"model" is missing');
  if (model !== undefined && model !== found) {
    throw new CheckpointError(
      "model",
      `it is of model ${found}, and this is ${model}`,
      "Train the model that it is of, with the same qconfig, or keep this one's checkpoints elsewhere.",
    );
  }
  for (const [name, { dtype }] of tensors) {
    if (dtype !== "float32" && dtype !== "int32")
      throw damaged(`variable "${name}" must be float32 or int32; got ${dtype}`);
  }
  const random = randomOf(texts.get("random"));
  const own = [...texts].filter(([key]) => key.startsWith(OWN));
  return {
    step: counterOf(texts, "step"),
    update: counterOf(texts, "update"),
    epoch: counterOf(texts, "epoch"),
    position: counterOf(texts, "position"),
    ...(random ? { random } : {}),
    model: found,
    variables: tensors,
    metadata: new Map(own.map(([key, text]) => [key.slice(OWN.length), text])),
  };
}
