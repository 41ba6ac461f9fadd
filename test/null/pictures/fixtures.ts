// The pictures of test/fixtures/pictures.json, written by test/fixtures/make_pictures.py.

import { readFileSync } from "node:fs";

interface Fixture {
  readonly width: number;
  readonly height: number;
  readonly pixels: readonly string[]; // base64 of RGB
  readonly files: Readonly<Record<string, { readonly file: string; readonly pixels: number }>>;
  readonly refused: Readonly<Record<string, string>>;
}

export function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}

export function readJson<T>(name: string): T {
  const url = new URL(`../../fixtures/${name}`, import.meta.url);
  return JSON.parse(readFileSync(url, "utf8")) as T;
}

const fixture = readJson<Fixture>("pictures.json");

/** Every readable file with the picture that it decodes to. */
export const readable = Object.entries(fixture.files).map(([name, { file, pixels }]) => ({
  name,
  bytes: fromBase64(file),
  picture: {
    width: fixture.width,
    height: fixture.height,
    data: fromBase64(fixture.pixels[pixels]!),
  },
}));

/** The bytes of one file, of those that are refused too. */
export function fileOf(name: string): Uint8Array {
  const refused = fixture.refused[name];
  return refused === undefined
    ? readable.find((file) => file.name === name)!.bytes.slice()
    : fromBase64(refused);
}
