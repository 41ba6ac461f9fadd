// The section that trains the sample with its quantization in sight. One idea: what can go on is what the checkpoints
// in IndexedDB say, under the settings that they were made with; so a stopped training outlives the page.

import { checkpointDatabase } from "../src/training/checkpointStore.ts";
import type { TrainProgress } from "../src/trainOptions.ts";
import type { TrainJobResult } from "../src/trainJob.ts";
import type { WorkerClient } from "../src/workerClient.ts";
import { formatBytes, formatPercent } from "../src/cli/table.ts";
import { Chart } from "./chart.ts";
import { byId, element } from "./dom.ts";
import { tell, tellError } from "./problem.ts";
import { formatSeconds, ProgressView } from "./progressView.ts";
import { header } from "./resultView.ts";
import { sampleTraining, type TrainSettings } from "./sampleJob.ts";
import type { Turn } from "./turn.ts";

const CHECKPOINTS = "fine-tune the sample";
/** In localStorage: the settings of the training that the checkpoints are of. */
const SETTINGS = "webgpu-quant fine-tune";

const form = byId<HTMLFormElement>("training");
const train = byId<HTMLButtonElement>("train");
const stop = byId<HTMLButtonElement>("stop");
const resume = byId<HTMLButtonElement>("resume");

/** The form as text. */
const formText = (): string =>
  [...new FormData(form)].map(([name, value]) => `${name}=${String(value)}`).join("&");

function settings(): TrainSettings {
  const values = new FormData(form);
  const number = (name: string) => Number(values.get(name));
  return {
    pictures: number("pictures"),
    heldOut: number("heldOut"),
    epochs: number("epochs"),
    batch: number("batch"),
    learningRate: number("learningRate"),
    bits: values.get("bits") === "int4" ? "int4" : "int8",
    perTensor: values.get("scales") === "layer",
  };
}

/** Show the settings that `text` says. */
function fill(text: string): void {
  for (const [name, value] of new URLSearchParams(text)) {
    const field = form.elements.namedItem(name);
    if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement)
      field.value = value;
  }
}

class FineTune {
  readonly #client: WorkerClient;
  readonly #turn: Turn;
  readonly #view = new ProgressView({
    phase: byId("training-phase"),
    bar: byId<HTMLProgressElement>("training-bar"),
    count: byId("training-count"),
  });
  readonly #loss = new Chart(byId("loss-chart"), {
    name: "Loss",
    format: (value) => String(Number(value.toFixed(2))),
  });
  readonly #accuracy = new Chart(byId("accuracy-chart"), {
    name: "Accuracy",
    most: 1,
    format: (value) => `${Math.round(100 * value)} %`,
  });
  #history: TrainProgress[] = [];
  /** The step of the newest checkpoint, where there is one, and the settings that it is of. */
  #kept: { readonly step: number; readonly settings: string | null } | undefined;
  #running: AbortController | undefined;
  #fileUrl = "";

  constructor(client: WorkerClient, turn: Turn) {
    this.#client = client;
    this.#turn = turn;
    turn.onChange(() => this.#refresh());
    form.addEventListener("input", () => this.#refresh());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#start(false);
    });
    resume.addEventListener("click", () => void this.#start(true));
    stop.addEventListener("click", () => {
      stop.disabled = true;
      this.#view.say("Stopping after this step");
      this.#running?.abort();
    });
    this.#refresh();
    void this.#look().then(() => {
      if (this.#kept?.settings) fill(this.#kept.settings);
      this.#refresh();
    });
  }

  /** Buttons say what can be done now. */
  #refresh(): void {
    const { isFree } = this.#turn;
    const isSame = this.#kept?.settings === formText();
    train.disabled = !isFree;
    stop.disabled = !this.#running;
    resume.disabled = !isFree || !this.#kept || !isSame;
    resume.textContent = this.#kept ? `Resume at step ${this.#kept.step}` : "Resume";
    byId("kept").textContent =
      this.#kept && !isSame && !this.#running
        ? "The stopped training has other settings; Train begins a new one and forgets it."
        : "";
  }

  /** Look for a training that can go on. */
  async #look(): Promise<void> {
    this.#kept = undefined;
    try {
      const [step] = await checkpointDatabase(CHECKPOINTS).steps();
      if (step !== undefined) this.#kept = { step, settings: localStorage.getItem(SETTINGS) };
    } catch (error) {
      this.#problem(error); // storage is blocked: training can be neither stopped nor resumed
    }
  }

  async #start(goesOn: boolean): Promise<void> {
    if (!form.reportValidity()) return;
    await this.#turn.run(async (controller) => {
      this.#running = controller;
      this.#refresh();
      try {
        await this.#train(goesOn, controller.signal);
      } catch (error) {
        await this.#look();
        if (controller.signal.aborted) this.#stopped();
        else this.#problem(error);
      } finally {
        this.#running = undefined;
      }
    });
  }

  async #train(goesOn: boolean, signal: AbortSignal): Promise<void> {
    const began = performance.now();
    this.#view.reset();
    for (const id of ["training-problem", "training-result"]) byId(id).hidden = true;
    for (const id of ["training-progress", "charts"]) byId(id).hidden = false;
    stop.focus();
    if (!goesOn) this.#history = [];
    const [chosen, text] = [settings(), formText()];
    const job = await sampleTraining(chosen, signal);
    localStorage.setItem(SETTINGS, text); // not before: a job that was never sent forgets no checkpoint
    this.#show(undefined);
    const result = await this.#client.train(
      { ...job, checkpoint: CHECKPOINTS, resume: goesOn },
      {
        signal,
        transfer: [...job.training, ...job.calibration, ...job.evaluation].flatMap(({ source }) =>
          source instanceof Blob ? [] : [source.data.buffer as ArrayBuffer],
        ),
        onProgress: (progress) => {
          if (!signal.aborted) this.#view.report(progress);
          if (progress.training) this.#show(progress.training);
        },
      },
    );
    this.#kept = undefined; // a training that ends leaves no checkpoint
    byId("training-progress").hidden = true;
    this.#finish(chosen, result, (performance.now() - began) / 1000);
  }

  /** Draw the charts, with one more step. */
  #show(progress: TrainProgress | undefined): void {
    if (progress) {
      const { step } = progress;
      this.#history = [...this.#history.filter((each) => each.step < step), progress];
    }
    const last = this.#history.at(-1);
    const steps = last?.steps ?? last?.step ?? 1;
    this.#loss.show(
      this.#history.map(({ step, loss }) => ({ step, value: loss })),
      steps,
    );
    this.#accuracy.show(
      this.#history.map(({ step, accuracy = 0 }) => ({ step, value: accuracy })),
      steps,
    );
  }

  #stopped(): void {
    byId("training-progress").hidden = true;
    const kept = this.#kept
      ? `Step ${this.#kept.step} is kept in this browser. Resume goes on from there, also after this page was closed.`
      : "Nothing was trained yet.";
    tell(byId("training-problem"), "warning", "Stopped", kept);
    byId("tune-title").focus();
  }

  #problem(error: unknown): void {
    byId("training-progress").hidden = true;
    tellError(byId("training-problem"), error);
    byId("tune-title").focus();
  }

  #finish(chosen: TrainSettings, result: TrainJobResult, seconds: number): void {
    URL.revokeObjectURL(this.#fileUrl);
    this.#fileUrl = URL.createObjectURL(new Blob([result.file as Uint8Array<ArrayBuffer>]));
    const { top1, evaluated, steps, bytesGiven, bytesQuantized } = result;
    const { bits, perTensor, pictures } = chosen;
    const rows = [
      ["float", "float32", top1.float, bytesGiven],
      ["calibrated", `${bits}, calibrated alone`, top1.calibrated, bytesQuantized],
      ["trained", `${bits}, fine-tuned`, top1.trained, bytesQuantized],
    ] as const;
    const body = rows.map(([id, what, share, bytes]) => {
      const cell = element("td", { className: "number", textContent: formatPercent(share) });
      cell.dataset["top1"] = id;
      return element(
        "tr",
        {},
        element("th", { scope: "row", textContent: what }),
        cell,
        element("td", { className: "number", textContent: formatBytes(bytes) }),
      );
    });
    const scales = perTensor ? "layer" : "channel";
    const place = byId("training-result");
    place.replaceChildren(
      element(
        "table",
        {},
        element("caption", {
          textContent:
            `${steps} steps on ${pictures} pictures in ${formatSeconds(seconds)}, one scale a ${scales}; ` +
            `measured on ${evaluated} others.`,
        }),
        header("", "Top-1", "Size"),
        element("tbody", {}, ...body),
      ),
      element("a", {
        id: "training-download",
        className: "download",
        href: this.#fileUrl,
        download: `sample-trained-${bits}.onnx`,
        textContent: `Download ${bits} .onnx (${formatBytes(bytesQuantized)})`,
      }),
    );
    place.hidden = false;
    byId("tune-title").focus();
  }
}

/** Let the section train through `client`, when it is its turn. */
export const fineTune = (client: WorkerClient, turn: Turn): FineTune => new FineTune(client, turn);
