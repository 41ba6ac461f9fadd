// The sub-path `webgpu-quant/pictures`: from the bytes of a picture file to a model's input, with
// the same pixels in Node and in the browser. The core never imports it.

export { decodePicture } from "./pictures/decode.ts";
export { MAX_PIXELS, type Picture } from "./pictures/picture.ts";
export { resize } from "./pictures/resize.ts";
export { pictureShape, preprocess, type InputSize } from "./pictures/preprocess.ts";
export { parsePreprocess, presets, type Preprocess } from "./pictures/preprocessSpec.ts";
export {
  batches,
  type BatchOptions,
  type PictureBatch,
  type PictureSource,
} from "./pictures/batches.ts";
