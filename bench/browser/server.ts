// Serves the bench's page to its browser: isolated from other origins, without which WASM has no threads
// and clocks are coarse. Files may also be put, into memory.

import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

export interface BenchServer extends AsyncDisposable {
  /** Without a slash at the end. */
  readonly origin: string;
  /** Served as /NAME, before any folder's files. */
  readonly memory: Map<string, string | Uint8Array>;
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return new Uint8Array(Buffer.concat(parts));
}

/** Serve folders by their prefix, such as "/": "dist-bench/page", on a free port of this machine only. */
export async function serveBench(folders: Readonly<Record<string, string>>): Promise<BenchServer> {
  const memory = new Map<string, string | Uint8Array>();
  // The longest prefix first.
  const prefixes = Object.entries(folders).toSorted((a, b) => b[0].length - a[0].length);
  const find = async (path: string) => {
    const known = memory.get(path.slice(1));
    if (known !== undefined) return known;
    const [prefix = "/", folder = ""] = prefixes.find(([start]) => path.startsWith(start)) ?? [];
    return await readFile(join(folder, path.slice(prefix.length))).catch(() => undefined);
  };
  const server = createServer((request, response) => {
    void (async () => {
      const { pathname } = new URL(request.url ?? "/", "http://localhost");
      const path = normalize(pathname === "/" ? "/index.html" : pathname);
      if (request.method === "PUT") {
        memory.set(path.slice(1), await bodyOf(request));
        response.writeHead(204).end();
        return;
      }
      const body = await find(path);
      response.writeHead(body === undefined ? 404 : 200, {
        "content-type": TYPES[extname(path)] ?? "application/octet-stream",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
      });
      response.end(body ?? "not found");
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    memory,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
