// Serves built files to a browser, and bytes from memory. Every answer carries a content security
// policy, since a worker obeys that of its own script's answer, not that of the page.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

export interface StaticServer extends AsyncDisposable {
  /** Without a slash at the end. */
  readonly origin: string;
  /** Served as /NAME, before the folder's files. */
  readonly memory: Map<string, string | Uint8Array>;
}

/** Serve `folder` on a free port of this machine only. */
export async function serveFolder(folder: string, policy: string): Promise<StaticServer> {
  const memory = new Map<string, string | Uint8Array>();
  const server = createServer((request, response) => {
    void (async () => {
      const path = new URL(request.url ?? "/", "http://localhost").pathname;
      const name = normalize(path === "/" ? "/index.html" : path);
      const body =
        memory.get(name.slice(1)) ?? (await readFile(join(folder, name)).catch(() => undefined));
      response.writeHead(body === undefined ? 404 : 200, {
        "content-type": TYPES[extname(name)] ?? "application/octet-stream",
        "content-security-policy": policy,
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
