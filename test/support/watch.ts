// What a page did that it should not: everything it said on the console as an error, every broken
// policy, and every address it asked for.

import type { Page } from "playwright";

export interface Watch {
  /** Console errors (policy violations are among them) and uncaught exceptions. */
  readonly errors: string[];
  /** Origins of all requests, data: and blob: left out. */
  readonly origins: Set<string>;
}

export function watch(page: Page): Watch {
  const errors: string[] = [];
  const origins = new Set<string>();
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("requestfailed", (request) => errors.push(`failed: ${request.url()}`));
  // On the context: requests of workers do not reach the page's own event.
  page.context().on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith("http")) origins.add(origin);
  });
  return { errors, origins };
}
