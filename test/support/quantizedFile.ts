// What Node makes of a quantized file that the page was given: its predictions, and its QDQ form.

import { expect } from "vitest";
import { runJob } from "../../src/job.ts";
import { load, requestDevice, save, type Model } from "../../src/node.ts";
import { presets } from "../../src/pictures.ts";

/** Name and class of each picture, as the job says in Node. */
export async function predictionsInNode(
  model: Uint8Array,
  pictures: readonly { readonly name: string; readonly buffer: Buffer }[],
): Promise<[string, number][]> {
  using device = await requestDevice();
  const { predictions } = await runJob(
    {
      model,
      evaluation: pictures
        .map(({ name, buffer }) => ({ name, source: new Blob([new Uint8Array(buffer)]) }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
      preprocess: presets.imagenet,
    },
    { device },
  );
  return predictions.map((each) => [each.picture, each.class]);
}

/** The page's file is the QDQ form of `bytes`, and loads as the graph that Node makes of it. */
export async function expectSameGraph(
  { name, bytes }: { readonly name: string; readonly bytes: Uint8Array },
  given: Uint8Array,
): Promise<void> {
  expect(name).toBe("quantized.traced-qdq.onnx");
  const here = save((await load(given)) as Model<"quantized">);
  const [got, want] = [await load(bytes), await load(here)];
  expect(got.stage).toBe("quantized");
  expect(String(got)).toBe(String(want));
  expect([...got.graph.constants]).toEqual([...want.graph.constants]);
}
