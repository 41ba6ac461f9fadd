// The file of labels: {"picture.jpg": 3, …}, a class index per picture.

import { InputError } from "../errors.ts";
import { readJson } from "./files.ts";
import type { PictureFile } from "./pictureFiles.ts";

export type Labels = ReadonlyMap<string, number>;

const FORM = 'Write JSON such as {"picture.jpg": 3}, a class index from 0 on per picture.';

/** Read a file of labels. Throws InputError. */
export async function readLabels(path: string, signal?: AbortSignal): Promise<Labels> {
  const where = `labels "${path}"`;
  const json = await readJson("labels", path, FORM, signal);
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new InputError(
      `${where}: must be an object; got ${JSON.stringify(json).slice(0, 30)}. ${FORM}`,
    );
  }
  const labels = new Map<string, number>();
  for (const [name, label] of Object.entries(json)) {
    if (typeof label !== "number" || !Number.isInteger(label) || label < 0) {
      throw new InputError(
        `${where}: the class of "${name}" must be a whole number from 0 on; got ${JSON.stringify(label)}. ${FORM}`,
      );
    }
    labels.set(name, label);
  }
  return labels;
}

/** The class of the picture called `name`: by its path in the folder, else by its base name. */
export function labelOf(labels: Labels, name: string): number | undefined {
  return labels.get(name) ?? labels.get(name.slice(name.lastIndexOf("/") + 1));
}

/** Refuse pictures without a class, and classes that the model does not have (`classes` is undefined
 *  where the model leaves it open). Throws InputError naming the first. */
export function checkLabels(
  labels: Labels,
  path: string,
  pictures: readonly PictureFile[],
  labelOffset: number,
  classes: number | undefined,
): void {
  const unknown = pictures.filter(({ name }) => labelOf(labels, name) === undefined);
  const [first] = unknown;
  if (first) {
    throw new InputError(
      `labels "${path}": ${unknown.length} of ${pictures.length} picture(s) have no class there, the ` +
        `first is "${first.name}". Add them, or leave them out of --data.`,
    );
  }
  for (const { name } of pictures) {
    const label = (labelOf(labels, name) ?? 0) + labelOffset;
    if (label >= 0 && label < (classes ?? Infinity)) continue;
    const numbers = pictures.map((picture) => labelOf(labels, picture.name) ?? 0);
    const fromOne = numbers.every((each) => each >= 1) && Math.max(...numbers) === classes;
    throw new InputError(
      `labels "${path}": "${name}" has class ${label} (label offset ${labelOffset} included); the model ` +
        `has ${classes ?? "only"} classes from 0 on. ${fromOne ? "They seem to count from 1: --label-offset -1" : "Check --label-offset"}.`,
    );
  }
}
