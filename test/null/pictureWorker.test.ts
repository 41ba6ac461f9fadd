// Pictures decoded in a worker of their own, over message channels that stand for workers.

import { afterEach, describe, expect, it } from "vitest";
import { PictureError } from "../../src/errors.ts";
import { rowOf, type JobPicture } from "../../src/jobPictures.ts";
import { PictureWorker, type Spawn } from "../../src/pictureWorker.ts";
import { presets } from "../../src/pictures.ts";
import type { Port } from "../../src/workerMessages.ts";
import { serve } from "../../src/workerServer.ts";
import { fileOf } from "./pictures/fixtures.ts";

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const input = { preprocess: presets.tf, height: 8, width: 8 };
const picture = (name: string): JobPicture => ({
  name,
  source: new Blob([fileOf(name) as Uint8Array<ArrayBuffer>]),
});
const refuse = () => Promise.reject(new Error("no device is needed"));

/** Spawns a channel whose other side `answers`, and counts starts and ends. */
function spawner(answers: (port: Port) => void) {
  const count = { started: 0, ended: 0 };
  const spawn: Spawn = () => {
    count.started++;
    const { port1, port2 } = new MessageChannel();
    ends.push(() => port1.close());
    answers(port1 as unknown as Port);
    const end = (): void => {
      count.ended++;
      port2.close();
    };
    return Object.assign(port2, { terminate: end }) as unknown as ReturnType<Spawn>;
  };
  return { count, spawn };
}

const serving = (port: Port): void => serve(port, refuse);

describe("the worker that decodes pictures", () => {
  it("gives the rows of this thread, from one worker, which ends with the job", async () => {
    const { count, spawn } = spawner(serving);
    const pictures = new PictureWorker(spawn);
    const names = ["420.jpg", "rgb.png", "lossy.webp"];
    const rows = await Promise.all(names.map((name) => pictures.rowOf(picture(name), input)));
    const own = await Promise.all(names.map((name) => rowOf(picture(name), input)));
    expect(rows).toEqual(own);
    expect(count).toEqual({ started: 1, ended: 0 });
    pictures.dispose();
    expect(count).toEqual({ started: 1, ended: 1 });
  });

  it("names a broken picture as this thread does", async () => {
    using pictures = new PictureWorker(spawner(serving).spawn);
    const own: unknown = await rowOf(picture("cmyk.jpg"), input).catch((error: unknown) => error);
    expect(own).toBeInstanceOf(PictureError);
    await expect(pictures.rowOf(picture("cmyk.jpg"), input)).rejects.toEqual(own);
  });

  it("ends at once when a decoder that is busy is aborted, and starts anew for the next one", async () => {
    let busy = true;
    const { count, spawn } = spawner((port) => {
      if (!busy) serving(port); // else nobody answers, as while a decoder runs
    });
    using pictures = new PictureWorker(spawn);
    const controller = new AbortController();
    const row = pictures.rowOf(picture("420.jpg"), input, controller.signal);
    const reason = new Error("changed my mind");
    controller.abort(reason);
    await expect(row).rejects.toBe(reason);
    expect(count).toEqual({ started: 1, ended: 1 });
    busy = false;
    expect(await pictures.rowOf(picture("420.jpg"), input)).toHaveLength(3 * 8 * 8);
    expect(count.started).toBe(2);
  });

  it("decodes in this thread where no worker can be started", async () => {
    let started = 0;
    const spawn: Spawn = () => {
      started++;
      const worker = {
        onmessage: null,
        onerror: null as ((event: ErrorEvent) => void) | null,
        postMessage: () => queueMicrotask(() => worker.onerror?.({} as ErrorEvent)),
      };
      return worker;
    };
    using pictures = new PictureWorker(spawn);
    for (let round = 0; round < 2; round++)
      expect(await pictures.rowOf(picture("420.jpg"), input)).toHaveLength(3 * 8 * 8);
    expect(started).toBe(1);
  });
});
