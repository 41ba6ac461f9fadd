// What a hostile safetensors file may ask for: every limit of the reader, by name.

export interface SafetensorsLimits {
  /** Bytes of the file. */
  readonly fileBytes: number;
  /** Bytes of the JSON header. The format's own maximum is 100 MB; real headers are far below. */
  readonly headerBytes: number;
  /** Bytes of one name or metadata text, as UTF-8. */
  readonly nameBytes: number;
  /** Axes of a tensor. */
  readonly rank: number;
  /** One size of a tensor. */
  readonly dimSize: number;
}

export const SAFETENSORS_LIMITS: SafetensorsLimits = {
  fileBytes: 2 ** 31 - 1,
  headerBytes: 16_000_000,
  nameBytes: 64 * 1024,
  rank: 32,
  dimSize: 2 ** 31 - 1,
};
