// The real models and pictures that some tests use lie beside the checkout, in ../shared/data. Tests
// that need them skip with a word where they are not.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const sharedData = join(import.meta.dirname, "../../../shared/data");

/** True where `path` of the shared data is there; says so on the console where it is not. */
export function hasSharedData(path: string, what: string): boolean {
  const there = existsSync(join(sharedData, path));
  if (!there) console.log(`skipped: ${what} needs ../shared/data/${path}, which is not here`);
  return there;
}

export function readShared(path: string): Uint8Array {
  return new Uint8Array(readFileSync(join(sharedData, path)));
}

/** The 500 ImageNet pictures, sorted by name, with their classes. */
export function imagenetSample(): {
  name: string;
  label: number;
  bytes: () => Promise<Uint8Array>;
}[] {
  const folder = "imagenet-sample/images";
  const labels = JSON.parse(
    new TextDecoder().decode(readShared("imagenet-sample/labels.json")),
  ) as Record<string, number>;
  return readdirSync(join(sharedData, folder))
    .sort()
    .map((name) => ({
      name,
      label: labels[name] ?? -1,
      bytes: () => Promise.resolve(readShared(`${folder}/${name}`)),
    }));
}
