// The page: three ways to start a job, one job at a time, and everything heavy in the worker.

import type { JobResult } from "../src/job.ts";
import { WorkerClient } from "../src/workerClient.ts";
import { showAdapter, showNoAdapter } from "./adapter.ts";
import { byId, countOf } from "./dom.ts";
import { fineTune } from "./fineTune.ts";
import { choose, droppedFiles, ownJob, type Chosen, type NamedJob } from "./ownJob.ts";
import { tell, tellError } from "./problem.ts";
import { formatSeconds, ProgressView } from "./progressView.ts";
import { showResult } from "./resultView.ts";
import { sampleJob, showSample } from "./sampleJob.ts";
import { Turn } from "./turn.ts";

const client = new WorkerClient(
  new Worker(new URL("../src/worker.ts", import.meta.url), { type: "module" }),
);
const runSample = byId<HTMLButtonElement>("run-sample");
const runOwn = byId<HTMLButtonElement>("run-own");
const view = new ProgressView({
  phase: byId("phase"),
  bar: byId<HTMLProgressElement>("bar"),
  count: byId("count"),
});
const turn = new Turn();

let chosen: Chosen = { pictures: [], others: 0 };
let running: AbortController | undefined;
let fileUrl = "";

/** Buttons say what can be done now. */
function refresh(): void {
  runSample.disabled = !turn.isFree;
  runOwn.disabled = !turn.isFree || !chosen.model; // whether it needs pictures, its file says
}

async function start(makeJob: (signal: AbortSignal) => Promise<NamedJob> | NamedJob) {
  await turn.run(async (controller) => {
    running = controller;
    const { signal } = controller;
    const began = performance.now();
    show("progress");
    view.reset();
    byId("cancel").focus();
    byId("job").scrollIntoView({ block: "nearest" });
    try {
      const { name, job } = await makeJob(signal);
      const result = await client.quantize(job, {
        signal,
        onProgress: (progress) => {
          if (!signal.aborted) view.report(progress);
        },
      });
      finish(name, result, (performance.now() - began) / 1000);
    } catch (error) {
      show("problem");
      const box = byId("problem");
      if (signal.aborted) tell(box, "warning", "Cancelled", "Nothing was kept on the GPU.");
      else tellError(box, error);
      byId("job-title").focus();
    }
  });
}

function finish(name: string, result: JobResult, seconds: number): void {
  URL.revokeObjectURL(fileUrl);
  fileUrl = URL.createObjectURL(new Blob([result.file as Uint8Array<ArrayBuffer>]));
  show("result");
  byId("job-title").textContent = `Result, in ${formatSeconds(seconds)}`;
  showResult(byId("result"), name, fileUrl, result);
  byId("job-title").focus();
}

const titles = { progress: "Progress", problem: "No result", result: "Result" } as const;

/** Show one of the parts of the job's section. */
function show(part: "progress" | "problem" | "result"): void {
  byId("job").hidden = false;
  byId("job-title").textContent = titles[part];
  for (const id of ["progress", "problem", "result"]) byId(id).hidden = id !== part;
}

function add(files: readonly File[]): void {
  if (files.length === 0) return;
  chosen = choose(chosen, files);
  const { model, pictures, others } = chosen;
  byId("chosen").textContent =
    `${model ? model.name : "No model"}, ${countOf(pictures.length, "picture")}` +
    `${others > 0 ? `; ${countOf(others, "other file")} left out` : ""}.`;
  refresh();
}

function acceptFiles(): void {
  const input = byId<HTMLInputElement>("files");
  input.addEventListener("change", () => {
    add([...(input.files ?? [])]);
    input.value = ""; // so that the same file can be chosen again
  });
  const zone = byId("drop");
  const over = (isOver: boolean) => zone.classList.toggle("over", isOver);
  // On the whole window, or the browser would open a file that misses the zone.
  addEventListener("dragover", (event) => {
    event.preventDefault();
    over(true);
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) over(false);
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    if (event.dataTransfer) void droppedFiles(event.dataTransfer).then(add);
  });
}

runSample.addEventListener("click", () => void start(sampleJob));
byId("own").addEventListener("submit", (event) => {
  event.preventDefault();
  const { model, pictures } = chosen;
  const { value } = byId<HTMLSelectElement>("preprocess");
  if (model) void start(() => ownJob(model, pictures, value));
});
byId("cancel").addEventListener("click", () => {
  view.say("Cancelling");
  running?.abort();
});
turn.onChange(refresh);
acceptFiles();
showSample();
fineTune(client, turn);
client.status().then(
  (status) => {
    showAdapter(status);
    turn.ready();
  },
  (error: unknown) => showNoAdapter(error),
);
