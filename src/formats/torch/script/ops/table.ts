// Every op that a `forward` may call, by the name the code calls it; in-place forms are found without
// their underscore.

import type { Call } from "../call.ts";
import type { Thing } from "../values.ts";
import { elementwise } from "./elementwise.ts";
import { host } from "./host.ts";
import { layers } from "./layers.ts";
import { movement } from "./movement.ts";
import { windows } from "./windows.ts";

const table: ReadonlyMap<string, (call: Call) => Thing> = new Map(
  [layers, elementwise, host, windows, movement].flatMap((part) => Object.entries(part)),
);

/** The op of that name, and whether the name is that of its in-place form. */
export function findOp(
  name: string,
): { op: (call: Call) => Thing; plain: string; inPlace: boolean } | undefined {
  const exact = table.get(name);
  if (exact) return { op: exact, plain: name, inPlace: false };
  const plain = name.endsWith("_") ? name.slice(0, -1) : name;
  const op = table.get(plain);
  return op && { op, plain, inPlace: true };
}
