// Runs the bench's page in headless Chromium. Suites share one browser; every start of the start-up suite
// gets a fresh one, since a browser remembers what it has compiled.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Browser, Page } from "playwright";
import { reasonOf } from "../core/interleave.ts";
import type { BenchOptions } from "../core/options.ts";
import type { Bench, StartupRow } from "../core/rows.ts";
import { startupRow, type Starts } from "../suites/startup.ts";
import type { Files } from "../suites/run.ts";
import type * as page from "./page.ts";
import { THREAD_TIME } from "./threadTime.ts";
import { serveBench, type BenchServer } from "./server.ts";

export interface BrowserSettings {
  /** Path of the browser. */
  readonly chromium: string;
  /** The folder that holds page.js. */
  readonly pageFolder: string;
  say(line: string): void;
}

/** Bundles that scripts/peers.mjs makes of what is installed. */
const PEERS = ["jaxJs", "jaxTraining", "tensorflow"];

const PAGE = '<!doctype html><title>bench</title><link rel="icon" href="data:," />';

/** The software adapter is asked for by name: without a GPU Chromium offers it no other way. */
const SOFTWARE = "--use-webgpu-adapter=swiftshader";
const FLAGS = [
  "--enable-unsafe-webgpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-gpu-watchdog", // software shaders on a busy machine are slow, not stuck
  ...(process.platform === "linux" ? ["--enable-features=Vulkan"] : []),
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []), // root cannot use the sandbox
];

type Exports = typeof page;

/** Give `page` what no script can ask: how much of a processor its thread has had, as the function THREAD_TIME. A
 *  browser that does not know gives it nothing. */
async function exposeThreadTime(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const seconds = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "ThreadTime")?.value;
  };
  if ((await seconds()) === undefined) return;
  await page.exposeFunction(THREAD_TIME, async () => {
    const now = await seconds();
    if (now === undefined) throw new Error("bench: this browser tells no thread's time any more.");
    return 1000 * now;
  });
}

export class BrowserBench implements AsyncDisposable {
  readonly #server: BenchServer;
  readonly #settings: BrowserSettings;
  readonly #served: page.Served;
  #software = false;
  #browser: Browser | undefined;
  #page: Page | undefined;

  private constructor(server: BenchServer, settings: BrowserSettings, served: page.Served) {
    this.#server = server;
    this.#settings = settings;
    this.#served = served;
  }

  /** Serve the page and `files`, and start a browser that has an adapter. */
  static async open(settings: BrowserSettings, files: Files): Promise<BrowserBench> {
    const ort = dirname(createRequire(import.meta.url).resolve("onnxruntime-web"));
    const server = await serveBench({ "/": settings.pageFolder, "/onnxruntime-web/": ort });
    const { given, mobilenetV2 } = files;
    server.memory.set("index.html", PAGE);
    if (given) server.memory.set("given.onnx", given.bytes);
    if (mobilenetV2) server.memory.set("mobilenetv2.onnx", mobilenetV2);
    const bench = new BrowserBench(server, settings, {
      ...(given ? { given: given.title } : {}),
      mobilenetV2: mobilenetV2 !== undefined,
      peers: PEERS.filter((name) => existsSync(join(settings.pageFolder, `${name}.js`))),
    });
    try {
      await bench.#launch();
      if (!(await bench.#hasAdapter())) {
        bench.#software = true;
        await bench.#launch();
        if (!(await bench.#hasAdapter()))
          throw new Error(
            "bench: this Chromium offers no WebGPU adapter, not even its software one. Update it, or name another with CHROMIUM.",
          );
      }
      return bench;
    } catch (error) {
      await bench[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** A fresh browser in place of the last. */
  async #launch(): Promise<void> {
    await this.#browser?.close();
    const { chromium } = await import("playwright");
    const args = this.#software ? [...FLAGS, SOFTWARE] : FLAGS;
    this.#browser = await chromium.launch({ executablePath: this.#settings.chromium, args });
    this.#page = await this.#browser.newPage();
    this.#page.on("console", (message) => {
      const text = message.text();
      if (message.type() === "log" || message.type() === "error") this.#settings.say(text);
    });
    await exposeThreadTime(this.#page);
    await this.#page.goto(this.#server.origin);
  }

  async #hasAdapter(): Promise<boolean> {
    return await this.#evaluate<boolean>(
      "(async () => Boolean(await navigator.gpu?.requestAdapter()))()",
    );
  }

  async #evaluate<T>(code: string): Promise<T> {
    if (!this.#page) throw new Error("bench: no page; please report.");
    return await this.#page.evaluate<T>(code);
  }

  /** A function of page.ts. As text: a test runner would rewrite import(). */
  async call<K extends keyof Exports>(
    name: K,
    ...args: Parameters<Exports[K]>
  ): Promise<Awaited<ReturnType<Exports[K]>>> {
    const list = args.map((arg) => JSON.stringify(arg)).join(", ");
    const code = `import("/page.js").then((page) => page.${name}(${list}))`;
    return await this.#evaluate<Awaited<ReturnType<Exports[K]>>>(code);
  }

  /** All suites that `options` names and a browser can run. */
  async run(options: BenchOptions): Promise<Bench> {
    const bench = await this.call("bench", options, this.#served);
    if (!options.suites.includes("startup")) return bench;
    return { ...bench, startup: await this.#startup(options) };
  }

  async #startup(options: BenchOptions): Promise<StartupRow[]> {
    const { say } = this.#settings;
    await this.#launch();
    const { title, entrants } = await this.call("storeStartModels", options, this.#served);
    const wanted = entrants.filter(
      ({ contestant }) => options.only === undefined || options.only.includes(contestant),
    );
    const starts = new Map(wanted.map((who) => [who, [] as Starts[]]));
    const failed = new Map<object, string>();
    for (let round = 0; round < Math.min(3, options.rounds); round++) {
      for (const who of wanted) {
        if (failed.has(who)) continue;
        const { contestant, dtype } = who;
        try {
          await this.#launch();
          const both = await this.call(
            "startUp",
            contestant,
            dtype,
            options.seed + round,
            this.#served,
          );
          starts.get(who)?.push(both);
          const { cold } = both;
          say(`start-up: ${contestant} ${dtype} ${(cold.open + cold.run).toFixed(0)} ms cold`);
        } catch (error) {
          failed.set(who, reasonOf(error));
        }
      }
    }
    return wanted.map((who): StartupRow => {
      const row = { suite: "startup", model: title, ...who } as const;
      const reason = failed.get(who);
      if (reason !== undefined) return { ...row, status: "error", reason };
      return startupRow({ model: title, ...who }, starts.get(who) ?? []);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser?.close();
    await this.#server[Symbol.asyncDispose]();
  }
}
