// Decodes a job's pictures in a worker of their own: a decoder runs to its end, for seconds with the largest
// pictures, and only the end of its thread stops it.

import { PictureError } from "./errors.ts";
import { rowOf, type RowMaker } from "./jobPictures.ts";
import type { Answer, PictureRow, Port, Request } from "./workerMessages.ts";

/** Starts a worker that `serve`s. */
export type Spawn = () => Port & {
  onerror?: ((event: ErrorEvent) => void) | null;
  terminate?(): void;
};

interface Waiting {
  resolve(row: PictureRow): void;
  reject(reason: unknown): void;
}

export class PictureWorker implements Disposable {
  readonly #spawn: Spawn;
  readonly #waiting = new Map<number, Waiting>();
  #worker: ReturnType<Spawn> | undefined;
  #cannotStart = false;
  #nextId = 0;

  /** The worker starts with the first picture. */
  constructor(spawn: Spawn) {
    this.#spawn = spawn;
  }

  /** A RowMaker that an abort ends at once. Where no worker can be started, pictures are decoded in this thread. */
  readonly rowOf: RowMaker = async (picture, input, signal) => {
    signal?.throwIfAborted();
    if (this.#cannotStart) return await rowOf(picture, input, signal);
    const id = this.#nextId++;
    const abort = (): void => this.#end(signal?.reason);
    signal?.addEventListener("abort", abort);
    try {
      const result = await new Promise<PictureRow>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        this.#started().postMessage({ type: "row", id, picture, input } satisfies Request, []);
      });
      if ("row" in result) return result.row;
      throw new PictureError(picture.name, result.broken.problem, result.broken.wayOut);
    } catch (error) {
      if (error !== NO_WORKER) throw error;
      return await rowOf(picture, input, signal);
    } finally {
      this.#waiting.delete(id);
      signal?.removeEventListener("abort", abort);
    }
  };

  #started(): ReturnType<Spawn> {
    if (this.#worker) return this.#worker;
    const worker = this.#spawn();
    worker.onmessage = ({ data }: MessageEvent<Answer>) => this.#receive(data);
    worker.onerror = () => {
      this.#cannotStart = true;
      this.#end(NO_WORKER);
    };
    return (this.#worker = worker);
  }

  #receive(answer: Answer): void {
    if (answer.type === "done") this.#waiting.get(answer.id)?.resolve(answer.result as PictureRow);
    if (answer.type === "failed") {
      const { name, message } = answer.error;
      this.#waiting.get(answer.id)?.reject(Object.assign(new Error(message), { name }));
    }
  }

  #end(reason: unknown): void {
    this.#worker?.terminate?.();
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }

  /** Ends the worker; rows under way reject. */
  dispose(): void {
    this.#end(new DOMException("the job has ended", "AbortError"));
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

const NO_WORKER = Symbol("no worker");
