// A plain text and a vocabulary of characters → ids.

import { InputError } from "../errors.ts";
import { tensor, type Tensor } from "../tensor/tensor.ts";
import { readInput, readJson } from "./files.ts";

const FORM =
  'Write JSON such as {"a": 0, "b": 1}, ["a", "b"] or {"characters": ["a", "b"]}, an id a character.';

/** A name that no text is meant to hold, such as <unk> or [MASK]. */
const SPECIAL = /^(<.*>|\[.*\])$/s;

/** The id of each character in a vocabulary file. Throws InputError. */
export async function readVocabulary(
  path: string,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const where = `--vocab "${path}"`;
  const json = await readJson("--vocab", path, FORM, signal);
  const { characters = json } = (json ?? {}) as { characters?: unknown };
  const entries: [unknown, unknown][] = Array.isArray(characters)
    ? characters.map((character, id) => [character, id])
    : Object.entries(characters ?? {});
  const vocabulary = new Map<string, number>();
  for (const [token, id] of entries) {
    if (typeof token !== "string" || !Number.isSafeInteger(id) || Number(id) < 0) {
      throw new InputError(
        `${where}: every character must have a whole number from 0 on; got ` +
          `${JSON.stringify(token)}: ${JSON.stringify(id)}. ${FORM}`,
      );
    }
    if (SPECIAL.test(token) && token.length > 1) continue;
    if ([...token].length !== 1) {
      throw new InputError(
        `${where}: must be a vocabulary of characters; got the token ${JSON.stringify(token)}. ` +
          "Tokenize the text beforehand, and give its ids: --inputs ids.npy --next-token.",
      );
    }
    vocabulary.set(token, Number(id));
  }
  if (vocabulary.size > 0) return vocabulary;
  throw new InputError(`${where}: must hold characters; got none. ${FORM}`);
}

/** The ids (int64) of the first `limit` characters of a text file. Throws InputError naming the first
 *  character that the vocabulary lacks. */
export async function readText(
  path: string,
  vocabulary: ReadonlyMap<string, number>,
  limit = Infinity,
  signal?: AbortSignal,
): Promise<Tensor> {
  const text = new TextDecoder().decode(await readInput("--text", path, signal));
  const characters = [...text].slice(0, limit);
  const ids = characters.map((character, index) => {
    const id = vocabulary.get(character);
    if (id !== undefined) return BigInt(id);
    throw new InputError(
      `--text "${path}": character ${index}, ${JSON.stringify(character)}, is not in the vocabulary ` +
        `of ${vocabulary.size}. Replace it in the text, or use the model's own vocabulary.`,
    );
  });
  if (ids.length < 2) {
    throw new InputError(
      `--text "${path}": must have two characters or more; got ${ids.length}. Check the file.`,
    );
  }
  return tensor("int64", [ids.length], BigInt64Array.from(ids));
}
