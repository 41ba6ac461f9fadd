// The name by which the driver gives a page the processor time of its thread.

/** A function of the page's globalThis: () => Promise<ms>. */
export const THREAD_TIME = "benchThreadTime";
