// What a hostile file may ask for: every limit of the ONNX reader, by name. A breach is a FormatError
// with its byte offset; a caller with unusual models overrides one by name.

export interface OnnxLimits {
  /** Bytes of the file. */
  readonly fileBytes: number;
  /** Bytes of one name, key or string attribute, as UTF-8. */
  readonly nameBytes: number;
  /** Messages inside messages. */
  readonly nesting: number;
  /** Nodes, initializers, attributes, inputs: entries of one list. */
  readonly listLength: number;
  /** Axes of a tensor. */
  readonly rank: number;
  /** One size of a tensor. */
  readonly dimSize: number;
  /** Elements that constant folding may write during one import, all folded values together. */
  readonly foldedElements: number;
}

export const ONNX_LIMITS: OnnxLimits = {
  fileBytes: 2 ** 31 - 1,
  nameBytes: 64 * 1024,
  nesting: 100,
  listLength: 1_000_000,
  rank: 32,
  dimSize: 2 ** 31 - 1,
  foldedElements: 2 ** 24,
};
