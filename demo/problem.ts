// Why there is no result, in a box.

import { forSurface } from "../src/wayOut.ts";
import { element } from "./dom.ts";

/** Say `message` in `box`, and show it. */
export function tell(
  box: HTMLElement,
  kind: "error" | "warning",
  title: string,
  message: string,
): void {
  box.className = `box ${kind}`;
  box.replaceChildren(
    element("p", {}, element("strong", { textContent: title })),
    element("p", { className: "words", textContent: message }),
  );
  box.hidden = false;
}

/** Say what went wrong. */
export function tellError(box: HTMLElement, error: unknown): void {
  const isError = error instanceof Error;
  tell(
    box,
    "error",
    isError ? error.name : "Error",
    isError ? forSurface(error.message, "page") : String(error),
  );
}
