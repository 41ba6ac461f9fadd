// The visitor's model and pictures: what was dropped or chosen, and the job it makes. Pictures have no
// labels here, so float32, where the model is float, is what int8 is measured against.

import type { JobPicture } from "../src/jobPictures.ts";
import type { QuantizeJob } from "../src/job.ts";
import { parsePreprocess } from "../src/pictures/preprocessSpec.ts";

export interface NamedJob {
  /** Of the model, without its extension. */
  readonly name: string;
  readonly job: QuantizeJob;
}

export interface Chosen {
  readonly model?: File;
  readonly pictures: readonly File[];
  /** Files that are neither. */
  readonly others: number;
}

const MODEL = /\.(onnx|pt|pth|ptl|th|safetensors)$/i;
const isModel = ({ name }: File): boolean => MODEL.test(name);
const isPicture = ({ name, type }: File): boolean =>
  /\.(jpe?g|png|webp)$/i.test(name) || /^image\/(jpeg|png|webp)$/.test(type);

/** `chosen` with `files` added: a model takes the place of the one before, and so do pictures. */
export function choose(chosen: Chosen, files: readonly File[]): Chosen {
  const model = files.find(isModel) ?? chosen.model;
  const pictures = files.filter(isPicture).sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    ...(model ? { model } : {}),
    pictures: pictures.length > 0 ? pictures : chosen.pictures,
    others: files.filter((file) => !isModel(file) && !isPicture(file)).length,
  };
}

export function ownJob(model: File, pictures: readonly File[], preprocess: string): NamedJob {
  return {
    name: model.name.replace(MODEL, ""),
    job: {
      model,
      evaluation: pictures.map((file): JobPicture => ({ name: file.name, source: file })),
      preprocess: parsePreprocess(preprocess),
    },
  };
}

/** The files of a drop, those in folders too. */
export async function droppedFiles(data: DataTransfer): Promise<File[]> {
  // Entries must be taken before the first await: the list is empty after the event.
  const entries = [...data.items].map((item) => item.webkitGetAsEntry());
  const plain = [...data.files];
  const nested = await Promise.all(entries.filter((entry) => entry !== null).map(filesIn));
  return entries.some((entry) => entry !== null) ? nested.flat() : plain;
}

async function filesIn(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    return [file];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const files: File[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    ); // a hundred at most a call, and none at the end
    if (some.length === 0) return files;
    files.push(...(await Promise.all(some.map(filesIn))).flat());
  }
}
