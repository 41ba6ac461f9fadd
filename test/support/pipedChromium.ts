// Drives a Chromium over its debugging pipe. Playwright tells every page that it is visible and focused; here a
// page is hidden when another tab is in front, as in a visitor's browser.
// https://chromedevtools.github.io/devtools-protocol/

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { findChromium } from "./chromium.ts";

type Answer = Readonly<Record<string, unknown>>;
type Send = (method: string, params?: object, sessionId?: string) => Promise<Answer>;

export interface PipedPage {
  /** Call a command of the protocol on the page. */
  send(method: string, params?: object): Promise<Answer>;
  /** The value of an expression in the page, awaited. */
  evaluate<T>(expression: string): Promise<T>;
  /** Wait until an expression is true. */
  until(expression: string, milliseconds: number): Promise<void>;
  /** Bring its tab in front of the others. */
  show(): Promise<void>;
}

export interface PipedChromium extends AsyncDisposable {
  readonly downloads: string;
  open(url: string): Promise<PipedPage>;
}

export async function launchPiped(): Promise<PipedChromium> {
  const folder = mkdtempSync(join(tmpdir(), "webgpu-quant-chromium-"));
  const args = [
    "--headless",
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--disable-gpu-watchdog",
    "--disable-background-networking",
    "--disable-component-update",
    "--remote-debugging-pipe",
    `--user-data-dir=${join(folder, "profile")}`,
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
  ];
  const child = spawn(await findChromium(), args, {
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const send = connect(child.stdio[3] as Writable, child.stdio[4] as Readable);
  const downloads = join(folder, "downloads");
  mkdirSync(downloads);
  await send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: downloads });
  return {
    downloads,
    open: (url) => open(send, url),
    async [Symbol.asyncDispose]() {
      await send("Browser.close").catch(() => undefined);
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Messages are JSON with a zero byte behind each. */
function connect(to: Writable, from: Readable): Send {
  const waiting = new Map<number, (answer: { result?: Answer; error?: object }) => void>();
  let next = 0;
  let text = "";
  from.setEncoding("utf8");
  from.on("data", (piece: string) => {
    const messages = (text + piece).split("\0");
    text = messages.pop() ?? "";
    for (const message of messages) {
      const { id, ...answer } = JSON.parse(message) as { id?: number };
      if (id !== undefined) waiting.get(id)?.(answer);
    }
  });
  return (method, params = {}, sessionId) =>
    new Promise((resolve, reject) => {
      const id = ++next;
      waiting.set(id, ({ result, error }) => {
        waiting.delete(id);
        if (error) reject(new Error(`${method}: ${JSON.stringify(error)}`));
        else resolve(result ?? {});
      });
      to.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
}

async function open(send: Send, url: string): Promise<PipedPage> {
  const { targetId } = await send("Target.createTarget", { url });
  const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
  const ask: Send = (method, params) => send(method, params, sessionId as string);
  const evaluate = async <T>(expression: string): Promise<T> => {
    const options = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await ask("Runtime.evaluate", options);
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { value: T }).value;
  };
  return {
    send: ask,
    evaluate,
    async until(expression, milliseconds) {
      const end = performance.now() + milliseconds;
      while (!(await evaluate<boolean>(`Boolean(${expression})`))) {
        if (performance.now() > end) throw new Error(`not true in time: ${expression}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    show: async () => void (await send("Target.activateTarget", { targetId })),
  };
}
