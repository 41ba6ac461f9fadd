// `webgpu-quant`: the verbs. load → prepare → calibrate → convert → compile → run, save, compare.

/// <reference lib="esnext.disposable" preserve="true" />

export * from "./errors.ts";
export { Device } from "./gpu/device.ts";
export type { AdapterFacts, Memory } from "./gpu/device.ts";
export { adoptDevice, requestDeviceFrom } from "./gpu/request.ts";
export type { AdoptOptions, DeviceOptions } from "./gpu/request.ts";
export { requestDevice } from "./requestDevice.ts";
export * as models from "./models.ts";
export { load, type LoadOptions, type Source } from "./load.ts";
export { prepare, type PrepareOptions } from "./prepare.ts";
export { calibrate, type CalibrateOptions, type CalibrationProgress } from "./calibrate.ts";
export { prepareQat, type PrepareQatOptions } from "./prepareQat.ts";
export { train } from "./train.ts";
export type {
  CheckpointOptions,
  Controls,
  EpochResult,
  From,
  TrainOptions,
  TrainProgress,
  TrainResult,
} from "./trainOptions.ts";
export { convert } from "./convert.ts";
export { quantizeDynamic, type QuantizeDynamicOptions } from "./quantizeDynamic.ts";
export { smoothQuant, type SmoothQuantOptions, type SmoothQuantReport } from "./smoothQuant.ts";
export { compile, type CompileOptions } from "./compile.ts";
export { tune, type TuneOptions, type TuneProgress } from "./tune.ts";
export { parseTuning, tuningKey, type TuningEntry, type TuningTable } from "./tuning/table.ts";
export { loadTuning, saveTuning } from "./tuning/store.ts";
export type { ProductTile } from "./plan/tiles.ts";
export { run } from "./run.ts";
export { profile, type Profile, type ProfileOptions, type StepTime } from "./profile.ts";
export { save, type SaveOptions } from "./save.ts";
export { compare, type CompareOptions, type LayerError } from "./compare.ts";
export { verdict, type QuantizationWarning } from "./verdict.ts";
export {
  evaluate,
  type BinaryEvaluation,
  type EvaluateOptions,
  type Evaluation,
  type LabelledBatch,
  type LanguageModelEvaluation,
  type Task,
} from "./evaluate.ts";
export type { StatePairs } from "./carriedState.ts";
export { inspect, type Inspection } from "./inspect.ts";
export { selfTest, type SelfTestReport } from "./selfTest.ts";
export type { OptimizerSpec, ParameterGroup } from "./autodiff/optimizers.ts";
export type { LossSpec } from "./autodiff/step.ts";
export type { Schedule } from "./training/schedules.ts";
export type { IndexedData, TrainingData, TrainingSample } from "./training/samples.ts";
export { Random, type RandomState } from "./training/random.ts";
export { colorJitter, randomCrop, randomHorizontalFlip } from "./training/augment.ts";
export type { CropOptions, JitterOptions } from "./training/augment.ts";
export type { Checkpoint } from "./training/checkpoint.ts";
export { checkpointDatabase } from "./training/checkpointStore.ts";
export type { CheckpointStore, KeepOptions } from "./training/checkpointStore.ts";
export { Session, type RunOptions } from "./session.ts";
export { Model, type PortType, type Stage } from "./model.ts";
export { qconfigs } from "./quantize/presets.ts";
export { qatQConfigs } from "./quantize/qat/presets.ts";
export type { QConfig, TensorSpec } from "./quantize/qconfig.ts";
export type { Overrides } from "./quantize/annotate.ts";
export type { ObserverSpec } from "./graph/observer.ts";
export type { Dim, QParams, Value } from "./graph/value.ts";
export type { Graph } from "./graph/graph.ts";
export { printPlan, type Plan } from "./plan/plan.ts";
export type { PlannedNode } from "./plan/listing.ts";
export type { Batches } from "./samples.ts";
export { tensor, float32, type Tensor, type Tensors } from "./tensor/tensor.ts";
export type { DType } from "./tensor/dtype.ts";
