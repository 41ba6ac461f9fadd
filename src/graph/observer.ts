// What an observer records, as plain data. The rules that turn statistics into a range are in
// quantize/; the kernels that collect them are in shaders/.

export type ObserverSpec =
  /** Least and greatest value seen. */
  | { readonly kind: "minMax" }
  /** First batch sets them, later ones move them: m ← m + c·(cur − m), numerics (11). */
  | { readonly kind: "movingAverageMinMax"; readonly averagingConstant?: number }
  /** minMax per slice of `axis`. */
  | { readonly kind: "perChannelMinMax"; readonly axis: number }
  | {
      readonly kind: "movingAveragePerChannelMinMax";
      readonly axis: number;
      readonly averagingConstant?: number;
    }
  /** PyTorch's HistogramObserver, numerics section 4. */
  | { readonly kind: "histogram"; readonly bins?: number };
