// Generated from shaders/*.wgsl by `npm run shaders`. Do not edit.
import accumulateF32Wgsl from "../../shaders/accumulate_f32.wgsl?raw";
import adamUpdateF32Wgsl from "../../shaders/adam_update_f32.wgsl?raw";
import argF32Wgsl from "../../shaders/arg_f32.wgsl?raw";
import averagePoolGradF32Wgsl from "../../shaders/average_pool_grad_f32.wgsl?raw";
import batchNormF32Wgsl from "../../shaders/batch_norm_f32.wgsl?raw";
import batchNormFactsF32Wgsl from "../../shaders/batch_norm_facts_f32.wgsl?raw";
import batchNormGradF32Wgsl from "../../shaders/batch_norm_grad_f32.wgsl?raw";
import batchNormMomentsF32Wgsl from "../../shaders/batch_norm_moments_f32.wgsl?raw";
import batchNormParametersGradF32Wgsl from "../../shaders/batch_norm_parameters_grad_f32.wgsl?raw";
import batchNormStatisticsF32Wgsl from "../../shaders/batch_norm_statistics_f32.wgsl?raw";
import batchNormSumsF32Wgsl from "../../shaders/batch_norm_sums_f32.wgsl?raw";
import batchedF32Wgsl from "../../shaders/batched_f32.wgsl?raw";
import batchedQuadF32Wgsl from "../../shaders/batched_quad_f32.wgsl?raw";
import binaryF32Wgsl from "../../shaders/binary_f32.wgsl?raw";
import binaryI32Wgsl from "../../shaders/binary_i32.wgsl?raw";
import binaryI8Wgsl from "../../shaders/binary_i8.wgsl?raw";
import cast32Wgsl from "../../shaders/cast_32.wgsl?raw";
import clampGradF32Wgsl from "../../shaders/clamp_grad_f32.wgsl?raw";
import clipFactorF32Wgsl from "../../shaders/clip_factor_f32.wgsl?raw";
import compareF32Wgsl from "../../shaders/compare_f32.wgsl?raw";
import comparisonF32Wgsl from "../../shaders/comparison_f32.wgsl?raw";
import convDynamicI8Wgsl from "../../shaders/conv_dynamic_i8.wgsl?raw";
import convF32Wgsl from "../../shaders/conv_f32.wgsl?raw";
import convGradFilterF32Wgsl from "../../shaders/conv_grad_filter_f32.wgsl?raw";
import convGradFilterQuadF32Wgsl from "../../shaders/conv_grad_filter_quad_f32.wgsl?raw";
import convI32Wgsl from "../../shaders/conv_i32.wgsl?raw";
import convI8Wgsl from "../../shaders/conv_i8.wgsl?raw";
import convMatrixDynamicI8Wgsl from "../../shaders/conv_matrix_dynamic_i8.wgsl?raw";
import convMatrixI8Wgsl from "../../shaders/conv_matrix_i8.wgsl?raw";
import convObservedF32Wgsl from "../../shaders/conv_observed_f32.wgsl?raw";
import convQuadDynamicI8Wgsl from "../../shaders/conv_quad_dynamic_i8.wgsl?raw";
import convQuadF32Wgsl from "../../shaders/conv_quad_f32.wgsl?raw";
import convQuadI8Wgsl from "../../shaders/conv_quad_i8.wgsl?raw";
import convQuadObservedF32Wgsl from "../../shaders/conv_quad_observed_f32.wgsl?raw";
import convTiledDynamicI8Wgsl from "../../shaders/conv_tiled_dynamic_i8.wgsl?raw";
import convTiledF32Wgsl from "../../shaders/conv_tiled_f32.wgsl?raw";
import convTiledI8Wgsl from "../../shaders/conv_tiled_i8.wgsl?raw";
import convTiledPartsI8Wgsl from "../../shaders/conv_tiled_parts_i8.wgsl?raw";
import copy32Wgsl from "../../shaders/copy_32.wgsl?raw";
import copyI8Wgsl from "../../shaders/copy_i8.wgsl?raw";
import crossEntropyF32Wgsl from "../../shaders/cross_entropy_f32.wgsl?raw";
import crossEntropyGradF32Wgsl from "../../shaders/cross_entropy_grad_f32.wgsl?raw";
import depthwiseF32Wgsl from "../../shaders/depthwise_f32.wgsl?raw";
import depthwiseGradFilterF32Wgsl from "../../shaders/depthwise_grad_filter_f32.wgsl?raw";
import depthwiseI32Wgsl from "../../shaders/depthwise_i32.wgsl?raw";
import depthwiseI8Wgsl from "../../shaders/depthwise_i8.wgsl?raw";
import depthwiseTileF32Wgsl from "../../shaders/depthwise_tile_f32.wgsl?raw";
import depthwiseTileI32Wgsl from "../../shaders/depthwise_tile_i32.wgsl?raw";
import depthwiseTileI8Wgsl from "../../shaders/depthwise_tile_i8.wgsl?raw";
import depthwiseTileObservedF32Wgsl from "../../shaders/depthwise_tile_observed_f32.wgsl?raw";
import depthwiseTransposeF32Wgsl from "../../shaders/depthwise_transpose_f32.wgsl?raw";
import dequantizeI8Wgsl from "../../shaders/dequantize_i8.wgsl?raw";
import fakeQuantizeF32Wgsl from "../../shaders/fake_quantize_f32.wgsl?raw";
import fakeQuantizeGradF32Wgsl from "../../shaders/fake_quantize_grad_f32.wgsl?raw";
import fakeQuantizeLearnF32Wgsl from "../../shaders/fake_quantize_learn_f32.wgsl?raw";
import fakeQuantizeStepsF32Wgsl from "../../shaders/fake_quantize_steps_f32.wgsl?raw";
import gather32Wgsl from "../../shaders/gather_32.wgsl?raw";
import gatherChainsWgsl from "../../shaders/gather_chains.wgsl?raw";
import gatherGradF32Wgsl from "../../shaders/gather_grad_f32.wgsl?raw";
import gatherI8Wgsl from "../../shaders/gather_i8.wgsl?raw";
import gatherWeightsWgsl from "../../shaders/gather_weights.wgsl?raw";
import gemvDynamicI8Wgsl from "../../shaders/gemv_dynamic_i8.wgsl?raw";
import gemvF32Wgsl from "../../shaders/gemv_f32.wgsl?raw";
import gemvI8Wgsl from "../../shaders/gemv_i8.wgsl?raw";
import gemvWeightsWgsl from "../../shaders/gemv_weights.wgsl?raw";
import groupedGradFilterF32Wgsl from "../../shaders/grouped_grad_filter_f32.wgsl?raw";
import gruDynamicI8Wgsl from "../../shaders/gru_dynamic_i8.wgsl?raw";
import gruF32Wgsl from "../../shaders/gru_f32.wgsl?raw";
import gruGradF32Wgsl from "../../shaders/gru_grad_f32.wgsl?raw";
import guardStepF32Wgsl from "../../shaders/guard_step_f32.wgsl?raw";
import joinDynamicI8Wgsl from "../../shaders/join_dynamic_i8.wgsl?raw";
import joinI8Wgsl from "../../shaders/join_i8.wgsl?raw";
import layerNormF32Wgsl from "../../shaders/layer_norm_f32.wgsl?raw";
import layerNormRowsF32Wgsl from "../../shaders/layer_norm_rows_f32.wgsl?raw";
import libBatchNormWgsl from "../../shaders/lib/batch_norm.wgsl?raw";
import libBinsWgsl from "../../shaders/lib/bins.wgsl?raw";
import libBoundedWgsl from "../../shaders/lib/bounded.wgsl?raw";
import libBoundsF32Wgsl from "../../shaders/lib/bounds_f32.wgsl?raw";
import libBoundsI8Wgsl from "../../shaders/lib/bounds_i8.wgsl?raw";
import libBroadcastWgsl from "../../shaders/lib/broadcast.wgsl?raw";
import libChannelRowsWgsl from "../../shaders/lib/channel_rows.wgsl?raw";
import libChooseTorchWgsl from "../../shaders/lib/choose_torch.wgsl?raw";
import libConvF32Wgsl from "../../shaders/lib/conv_f32.wgsl?raw";
import libConvI8Wgsl from "../../shaders/lib/conv_i8.wgsl?raw";
import libConvMatrixI8Wgsl from "../../shaders/lib/conv_matrix_i8.wgsl?raw";
import libConvQuadF32Wgsl from "../../shaders/lib/conv_quad_f32.wgsl?raw";
import libConvQuadI8Wgsl from "../../shaders/lib/conv_quad_i8.wgsl?raw";
import libConvTiledI8Wgsl from "../../shaders/lib/conv_tiled_i8.wgsl?raw";
import libCopyWgsl from "../../shaders/lib/copy.wgsl?raw";
import libCoveringWgsl from "../../shaders/lib/covering.wgsl?raw";
import libCrossEntropyWgsl from "../../shaders/lib/cross_entropy.wgsl?raw";
import libDepthwiseTileF32Wgsl from "../../shaders/lib/depthwise_tile_f32.wgsl?raw";
import libDivideWgsl from "../../shaders/lib/divide.wgsl?raw";
import libDot4Wgsl from "../../shaders/lib/dot4.wgsl?raw";
import libDot4UnpackedWgsl from "../../shaders/lib/dot4_unpacked.wgsl?raw";
import libDoubleWgsl from "../../shaders/lib/double.wgsl?raw";
import libDynamicWgsl from "../../shaders/lib/dynamic.wgsl?raw";
import libErfWgsl from "../../shaders/lib/erf.wgsl?raw";
import libFusedRoundWgsl from "../../shaders/lib/fused_round.wgsl?raw";
import libGatherWgsl from "../../shaders/lib/gather.wgsl?raw";
import libGemvI8Wgsl from "../../shaders/lib/gemv_i8.wgsl?raw";
import libGridWgsl from "../../shaders/lib/grid.wgsl?raw";
import libJoinWgsl from "../../shaders/lib/join.wgsl?raw";
import libKeptWgsl from "../../shaders/lib/kept.wgsl?raw";
import libLayerNormWgsl from "../../shaders/lib/layer_norm.wgsl?raw";
import libMatrixWgsl from "../../shaders/lib/matrix.wgsl?raw";
import libMatrixEmulatedWgsl from "../../shaders/lib/matrix_emulated.wgsl?raw";
import libMatrixFlagWgsl from "../../shaders/lib/matrix_flag.wgsl?raw";
import libMomentsWgsl from "../../shaders/lib/moments.wgsl?raw";
import libObservedWgsl from "../../shaders/lib/observed.wgsl?raw";
import libOrderedWgsl from "../../shaders/lib/ordered.wgsl?raw";
import libPixelsWgsl from "../../shaders/lib/pixels.wgsl?raw";
import libPowerWgsl from "../../shaders/lib/power.wgsl?raw";
import libQuadsI8Wgsl from "../../shaders/lib/quads_i8.wgsl?raw";
import libRangeParamsWgsl from "../../shaders/lib/range_params.wgsl?raw";
import libRealSumWgsl from "../../shaders/lib/real_sum.wgsl?raw";
import libRecurrentWgsl from "../../shaders/lib/recurrent.wgsl?raw";
import libRecurrentGradWgsl from "../../shaders/lib/recurrent_grad.wgsl?raw";
import libRecurrentI8Wgsl from "../../shaders/lib/recurrent_i8.wgsl?raw";
import libReduceWgsl from "../../shaders/lib/reduce.wgsl?raw";
import libRequantizeWgsl from "../../shaders/lib/requantize.wgsl?raw";
import libReshapeWgsl from "../../shaders/lib/reshape.wgsl?raw";
import libResidualWgsl from "../../shaders/lib/residual.wgsl?raw";
import libResidualNowWgsl from "../../shaders/lib/residual_now.wgsl?raw";
import libRowMajorWgsl from "../../shaders/lib/row_major.wgsl?raw";
import libSeenWgsl from "../../shaders/lib/seen.wgsl?raw";
import libSharePartWgsl from "../../shaders/lib/share_part.wgsl?raw";
import libShareWholeWgsl from "../../shaders/lib/share_whole.wgsl?raw";
import libSlicesWgsl from "../../shaders/lib/slices.wgsl?raw";
import libStepsWgsl from "../../shaders/lib/steps.wgsl?raw";
import libStoreF32Wgsl from "../../shaders/lib/store_f32.wgsl?raw";
import libStoreI8Wgsl from "../../shaders/lib/store_i8.wgsl?raw";
import libStorePartsWgsl from "../../shaders/lib/store_parts.wgsl?raw";
import libStoreRealWgsl from "../../shaders/lib/store_real.wgsl?raw";
import libTapsWgsl from "../../shaders/lib/taps.wgsl?raw";
import libUnaryWgsl from "../../shaders/lib/unary.wgsl?raw";
import libUnseenWgsl from "../../shaders/lib/unseen.wgsl?raw";
import libUpdateWgsl from "../../shaders/lib/update.wgsl?raw";
import libWeightsWgsl from "../../shaders/lib/weights.wgsl?raw";
import libWindowWgsl from "../../shaders/lib/window.wgsl?raw";
import lookupI8Wgsl from "../../shaders/lookup_i8.wgsl?raw";
import lstmDynamicI8Wgsl from "../../shaders/lstm_dynamic_i8.wgsl?raw";
import lstmF32Wgsl from "../../shaders/lstm_f32.wgsl?raw";
import lstmGradF32Wgsl from "../../shaders/lstm_grad_f32.wgsl?raw";
import matmulF32Wgsl from "../../shaders/matmul_f32.wgsl?raw";
import matmulQuadWeightsWgsl from "../../shaders/matmul_quad_weights.wgsl?raw";
import matmulTiledWeightsWgsl from "../../shaders/matmul_tiled_weights.wgsl?raw";
import matmulWeightsWgsl from "../../shaders/matmul_weights.wgsl?raw";
import maxPoolGradF32Wgsl from "../../shaders/max_pool_grad_f32.wgsl?raw";
import narrowI8Wgsl from "../../shaders/narrow_i8.wgsl?raw";
import observeAverageF32Wgsl from "../../shaders/observe_average_f32.wgsl?raw";
import observeChannelsF32Wgsl from "../../shaders/observe_channels_f32.wgsl?raw";
import observeHistogramF32Wgsl from "../../shaders/observe_histogram_f32.wgsl?raw";
import observeHistogramPrivateF32Wgsl from "../../shaders/observe_histogram_private_f32.wgsl?raw";
import observeMinmaxF32Wgsl from "../../shaders/observe_minmax_f32.wgsl?raw";
import packFilterF32Wgsl from "../../shaders/pack_filter_f32.wgsl?raw";
import poolF32Wgsl from "../../shaders/pool_f32.wgsl?raw";
import poolI8Wgsl from "../../shaders/pool_i8.wgsl?raw";
import probeMatrixWgsl from "../../shaders/probe_matrix.wgsl?raw";
import probeQuadsWgsl from "../../shaders/probe_quads.wgsl?raw";
import quantizeDynamicF32Wgsl from "../../shaders/quantize_dynamic_f32.wgsl?raw";
import quantizeF32Wgsl from "../../shaders/quantize_f32.wgsl?raw";
import quantizeRowsF32Wgsl from "../../shaders/quantize_rows_f32.wgsl?raw";
import rangeF32Wgsl from "../../shaders/range_f32.wgsl?raw";
import recurrentBiasF32Wgsl from "../../shaders/recurrent_bias_f32.wgsl?raw";
import recurrentCellsF32Wgsl from "../../shaders/recurrent_cells_f32.wgsl?raw";
import recurrentWeightsF32Wgsl from "../../shaders/recurrent_weights_f32.wgsl?raw";
import reduceF32Wgsl from "../../shaders/reduce_f32.wgsl?raw";
import reduceI8Wgsl from "../../shaders/reduce_i8.wgsl?raw";
import reshape32Wgsl from "../../shaders/reshape_32.wgsl?raw";
import reshapeI8Wgsl from "../../shaders/reshape_i8.wgsl?raw";
import reshapeQuantizeF32Wgsl from "../../shaders/reshape_quantize_f32.wgsl?raw";
import sgdUpdateF32Wgsl from "../../shaders/sgd_update_f32.wgsl?raw";
import softmaxF32Wgsl from "../../shaders/softmax_f32.wgsl?raw";
import softmaxRowsF32Wgsl from "../../shaders/softmax_rows_f32.wgsl?raw";
import spreadF32Wgsl from "../../shaders/spread_f32.wgsl?raw";
import squaresF32Wgsl from "../../shaders/squares_f32.wgsl?raw";
import sumPartsF32Wgsl from "../../shaders/sum_parts_f32.wgsl?raw";
import sumRowsF32Wgsl from "../../shaders/sum_rows_f32.wgsl?raw";
import sumsF32Wgsl from "../../shaders/sums_f32.wgsl?raw";
import unaryF32Wgsl from "../../shaders/unary_f32.wgsl?raw";
import unaryGradF32Wgsl from "../../shaders/unary_grad_f32.wgsl?raw";
import unaryRangeF32Wgsl from "../../shaders/unary_range_f32.wgsl?raw";
import updateRunningF32Wgsl from "../../shaders/update_running_f32.wgsl?raw";
import where32Wgsl from "../../shaders/where_32.wgsl?raw";
import windowSumsI8Wgsl from "../../shaders/window_sums_i8.wgsl?raw";
import type { Shader } from "./shader.ts";

const accumulateF32 = {
  label: "accumulate_f32",
  parts: [libGridWgsl, libUpdateWgsl, accumulateF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 12, fields: {count: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}, last: {offset: 8, type: "u32"}}},
    hyper: {binding: 1, type: "read-only-storage", element: "vec4f"},
    gradient: {binding: 2, type: "read-only-storage", element: "vec4f"},
    summed: {binding: 3, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const adamUpdateF32 = {
  label: "adam_update_f32",
  parts: [libGridWgsl, libUpdateWgsl, adamUpdateF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32", DECOUPLED: "bool", ACCUMULATED: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 36, fields: {count: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}, last: {offset: 8, type: "u32"}, rate: {offset: 12, type: "f32"}, weightDecay: {offset: 16, type: "f32"}, forget1: {offset: 20, type: "f32"}, beta2: {offset: 24, type: "f32"}, forget2: {offset: 28, type: "f32"}, epsilon: {offset: 32, type: "f32"}}},
    hyper: {binding: 1, type: "read-only-storage", element: "vec4f"},
    factor: {binding: 2, type: "read-only-storage", element: "vec4f"},
    summed: {binding: 3, type: "storage", element: "vec4f"},
    first: {binding: 4, type: "storage", element: "vec4f"},
    second: {binding: 5, type: "storage", element: "vec4f"},
    parameter: {binding: 6, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const argF32 = {
  label: "arg_f32",
  parts: [libKeptWgsl, libOrderedWgsl, argF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32", LAST: "bool", LEAST: "bool", SELECT_LAST: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 56, fields: {count: {offset: 0, type: "u32"}, length: {offset: 4, type: "u32"}, k1: {offset: 8, type: "u32"}, k2: {offset: 12, type: "u32"}, k3: {offset: 16, type: "u32"}, k4: {offset: 20, type: "u32"}, t0: {offset: 24, type: "u32"}, t1: {offset: 28, type: "u32"}, t2: {offset: 32, type: "u32"}, t3: {offset: 36, type: "u32"}, t4: {offset: 40, type: "u32"}, stride: {offset: 44, type: "u32"}, words: {offset: 48, type: "u32"}, last: {offset: 52, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4u"},
    out: {binding: 2, type: "storage", element: "vec4i"},
  },
} as const satisfies Shader;

const averagePoolGradF32 = {
  label: "average_pool_grad_f32",
  parts: [libGridWgsl, libCoveringWgsl, averagePoolGradF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 68, fields: {count: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}, inHeight: {offset: 8, type: "u32"}, inWidth: {offset: 12, type: "u32"}, outHeight: {offset: 16, type: "u32"}, outWidth: {offset: 20, type: "u32"}, kernelHeight: {offset: 24, type: "u32"}, kernelWidth: {offset: 28, type: "u32"}, strideHeight: {offset: 32, type: "u32"}, strideWidth: {offset: 36, type: "u32"}, dilationHeight: {offset: 40, type: "u32"}, dilationWidth: {offset: 44, type: "u32"}, padTop: {offset: 48, type: "u32"}, padLeft: {offset: 52, type: "u32"}, padBottomEnd: {offset: 56, type: "u32"}, padRightEnd: {offset: 60, type: "u32"}, countPad: {offset: 64, type: "u32"}}},
    gradient: {binding: 1, type: "read-only-storage", element: "vec4f"},
    out: {binding: 2, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const batchNormF32 = {
  label: "batch_norm_f32",
  parts: [libGridWgsl, libBatchNormWgsl, batchNormF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 16, fields: {count: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}, low: {offset: 8, type: "f32"}, high: {offset: 12, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    facts: {binding: 2, type: "read-only-storage", element: "vec4f"},
    out: {binding: 3, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const batchNormFactsF32 = {
  label: "batch_norm_facts_f32",
  parts: [libGridWgsl, libBatchNormWgsl, batchNormFactsF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 12, fields: {words: {offset: 0, type: "u32"}, last: {offset: 4, type: "u32"}, epsilon: {offset: 8, type: "f32"}}},
    scale: {binding: 1, type: "read-only-storage", element: "vec4f"},
    bias: {binding: 2, type: "read-only-storage", element: "vec4f"},
    mean: {binding: 3, type: "read-only-storage", element: "vec4f"},
    variance: {binding: 4, type: "read-only-storage", element: "vec4f"},
    divisor: {binding: 5, type: "read-only-storage", element: "vec4f"},
    out: {binding: 6, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const batchNormGradF32 = {
  label: "batch_norm_grad_f32",
  parts: [libGridWgsl, libBatchNormWgsl, batchNormGradF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 16, fields: {count: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}, low: {offset: 8, type: "f32"}, high: {offset: 12, type: "f32"}}},
    gradient: {binding: 1, type: "read-only-storage", element: "vec4f"},
    x: {binding: 2, type: "read-only-storage", element: "vec4f"},
    facts: {binding: 3, type: "read-only-storage", element: "vec4f"},
    shares: {binding: 4, type: "read-only-storage", element: "vec4f"},
    out: {binding: 5, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const batchNormMomentsF32 = {
  label: "batch_norm_moments_f32",
  parts: [libChannelRowsWgsl, libMomentsWgsl, batchNormMomentsF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32", WIDE: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 20, fields: {rows: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}, tiles: {offset: 8, type: "u32"}, share: {offset: 12, type: "u32"}, groups: {offset: 16, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    out: {binding: 2, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const batchNormParametersGradF32 = {
  label: "batch_norm_parameters_grad_f32",
  parts: [libChannelRowsWgsl, libBatchNormWgsl, batchNormParametersGradF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32", WIDE: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 24, fields: {words: {offset: 0, type: "u32"}, last: {offset: 4, type: "u32"}, splits: {offset: 8, type: "u32"}, tiles: {offset: 12, type: "u32"}, mean: {offset: 16, type: "f32"}, epsilon: {offset: 20, type: "f32"}}},
    parts: {binding: 1, type: "read-only-storage", element: "vec4f"},
    facts: {binding: 2, type: "read-only-storage", element: "vec4f"},
    outScale: {binding: 3, type: "storage", element: "vec4f"},
    outBias: {binding: 4, type: "storage", element: "vec4f"},
    outDivisor: {binding: 5, type: "storage", element: "vec4f"},
    out: {binding: 6, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const batchNormStatisticsF32 = {
  label: "batch_norm_statistics_f32",
  parts: [libChannelRowsWgsl, libMomentsWgsl, libBatchNormWgsl, batchNormStatisticsF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32", WIDE: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 28, fields: {words: {offset: 0, type: "u32"}, last: {offset: 4, type: "u32"}, splits: {offset: 8, type: "u32"}, rows: {offset: 12, type: "u32"}, share: {offset: 16, type: "u32"}, tiles: {offset: 20, type: "u32"}, epsilon: {offset: 24, type: "f32"}}},
    parts: {binding: 1, type: "read-only-storage", element: "vec4f"},
    scale: {binding: 2, type: "read-only-storage", element: "vec4f"},
    bias: {binding: 3, type: "read-only-storage", element: "vec4f"},
    divisor: {binding: 4, type: "read-only-storage", element: "vec4f"},
    outMean: {binding: 5, type: "storage", element: "vec4f"},
    outVariance: {binding: 6, type: "storage", element: "vec4f"},
    out: {binding: 7, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const batchNormSumsF32 = {
  label: "batch_norm_sums_f32",
  parts: [libChannelRowsWgsl, libBatchNormWgsl, batchNormSumsF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32", WIDE: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 28, fields: {rows: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}, tiles: {offset: 8, type: "u32"}, share: {offset: 12, type: "u32"}, groups: {offset: 16, type: "u32"}, low: {offset: 20, type: "f32"}, high: {offset: 24, type: "f32"}}},
    gradient: {binding: 1, type: "read-only-storage", element: "vec4f"},
    x: {binding: 2, type: "read-only-storage", element: "vec4f"},
    facts: {binding: 3, type: "read-only-storage", element: "vec4f"},
    out: {binding: 4, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const batchedF32 = {
  label: "batched_f32",
  parts: [libBoundedWgsl, libGridWgsl, batchedF32Wgsl],
  tile: {ROWS: 4, WORDS: 2, STRAIGHT: 1, TRANSPOSED: 0},
  overrides: {WORKGROUP: "u32", MASKED: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 100, fields: {count: {offset: 0, type: "u32"}, tilesWide: {offset: 4, type: "u32"}, tilesDown: {offset: 8, type: "u32"}, inner: {offset: 12, type: "u32"}, rows: {offset: 16, type: "u32"}, outWords: {offset: 20, type: "u32"}, last: {offset: 24, type: "u32"}, depth: {offset: 28, type: "u32"}, terms: {offset: 32, type: "u32"}, lastLine: {offset: 36, type: "u32"}, left0: {offset: 40, type: "u32"}, left1: {offset: 44, type: "u32"}, leftRow: {offset: 48, type: "u32"}, right0: {offset: 52, type: "u32"}, right1: {offset: 56, type: "u32"}, rightLine: {offset: 60, type: "u32"}, out0: {offset: 64, type: "u32"}, out1: {offset: 68, type: "u32"}, outRow: {offset: 72, type: "u32"}, leftBase: {offset: 76, type: "u32"}, rightBase: {offset: 80, type: "u32"}, outBase: {offset: 84, type: "u32"}, alpha: {offset: 88, type: "f32"}, low: {offset: 92, type: "f32"}, high: {offset: 96, type: "f32"}}},
    left: {binding: 1, type: "read-only-storage", element: "vec4f"},
    right: {binding: 2, type: "read-only-storage", element: "vec4f"},
    out: {binding: 3, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const batchedQuadF32 = {
  label: "batched_quad_f32",
  parts: [libBoundedWgsl, libGridWgsl, batchedQuadF32Wgsl],
  tile: {QUARTER: 4, WORDS: 1, FOUR: 4, STRAIGHT: 1, TRANSPOSED: 0},
  overrides: {WORKGROUP: "u32", MASKED: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 100, fields: {count: {offset: 0, type: "u32"}, tilesWide: {offset: 4, type: "u32"}, tilesDown: {offset: 8, type: "u32"}, inner: {offset: 12, type: "u32"}, rows: {offset: 16, type: "u32"}, outWords: {offset: 20, type: "u32"}, last: {offset: 24, type: "u32"}, depth: {offset: 28, type: "u32"}, terms: {offset: 32, type: "u32"}, lastLine: {offset: 36, type: "u32"}, left0: {offset: 40, type: "u32"}, left1: {offset: 44, type: "u32"}, leftRow: {offset: 48, type: "u32"}, right0: {offset: 52, type: "u32"}, right1: {offset: 56, type: "u32"}, rightLine: {offset: 60, type: "u32"}, out0: {offset: 64, type: "u32"}, out1: {offset: 68, type: "u32"}, outRow: {offset: 72, type: "u32"}, leftBase: {offset: 76, type: "u32"}, rightBase: {offset: 80, type: "u32"}, outBase: {offset: 84, type: "u32"}, alpha: {offset: 88, type: "f32"}, low: {offset: 92, type: "f32"}, high: {offset: 96, type: "f32"}}},
    left: {binding: 1, type: "read-only-storage", element: "vec4f"},
    right: {binding: 2, type: "read-only-storage", element: "vec4f"},
    out: {binding: 3, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const binaryF32 = {
  label: "binary_f32",
  parts: [libGridWgsl, libBroadcastWgsl, libPowerWgsl, binaryF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32", OP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 92, fields: {count: {offset: 0, type: "u32"}, last: {offset: 4, type: "u32"}, dim1: {offset: 8, type: "u32"}, dim2: {offset: 12, type: "u32"}, dim3: {offset: 16, type: "u32"}, dim4: {offset: 20, type: "u32"}, dim5: {offset: 24, type: "u32"}, a0: {offset: 28, type: "u32"}, a1: {offset: 32, type: "u32"}, a2: {offset: 36, type: "u32"}, a3: {offset: 40, type: "u32"}, a4: {offset: 44, type: "u32"}, a5: {offset: 48, type: "u32"}, b0: {offset: 52, type: "u32"}, b1: {offset: 56, type: "u32"}, b2: {offset: 60, type: "u32"}, b3: {offset: 64, type: "u32"}, b4: {offset: 68, type: "u32"}, b5: {offset: 72, type: "u32"}, aSplat: {offset: 76, type: "u32"}, bSplat: {offset: 80, type: "u32"}, low: {offset: 84, type: "f32"}, high: {offset: 88, type: "f32"}}},
    a: {binding: 1, type: "read-only-storage", element: "vec4f"},
    b: {binding: 2, type: "read-only-storage", element: "vec4f"},
    out: {binding: 3, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const binaryI32 = {
  label: "binary_i32",
  parts: [libGridWgsl, libBroadcastWgsl, binaryI32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32", OP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 80, fields: {count: {offset: 0, type: "u32"}, dim1: {offset: 4, type: "u32"}, dim2: {offset: 8, type: "u32"}, dim3: {offset: 12, type: "u32"}, dim4: {offset: 16, type: "u32"}, dim5: {offset: 20, type: "u32"}, a0: {offset: 24, type: "u32"}, a1: {offset: 28, type: "u32"}, a2: {offset: 32, type: "u32"}, a3: {offset: 36, type: "u32"}, a4: {offset: 40, type: "u32"}, a5: {offset: 44, type: "u32"}, b0: {offset: 48, type: "u32"}, b1: {offset: 52, type: "u32"}, b2: {offset: 56, type: "u32"}, b3: {offset: 60, type: "u32"}, b4: {offset: 64, type: "u32"}, b5: {offset: 68, type: "u32"}, aSplat: {offset: 72, type: "u32"}, bSplat: {offset: 76, type: "u32"}}},
    a: {binding: 1, type: "read-only-storage", element: "vec4i"},
    b: {binding: 2, type: "read-only-storage", element: "vec4i"},
    out: {binding: 3, type: "storage", element: "vec4i"},
  },
} as const satisfies Shader;

const binaryI8 = {
  label: "binary_i8",
  parts: [libGridWgsl, libDot4Wgsl, libBroadcastWgsl, libRequantizeWgsl, binaryI8Wgsl],
  tile: {PACKED_DOT: 1},
  overrides: {WORKGROUP: "u32", MULTIPLY: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 116, fields: {count: {offset: 0, type: "u32"}, dim1: {offset: 4, type: "u32"}, dim2: {offset: 8, type: "u32"}, dim3: {offset: 12, type: "u32"}, dim4: {offset: 16, type: "u32"}, dim5: {offset: 20, type: "u32"}, a0: {offset: 24, type: "u32"}, a1: {offset: 28, type: "u32"}, a2: {offset: 32, type: "u32"}, a3: {offset: 36, type: "u32"}, a4: {offset: 40, type: "u32"}, a5: {offset: 44, type: "u32"}, b0: {offset: 48, type: "u32"}, b1: {offset: 52, type: "u32"}, b2: {offset: 56, type: "u32"}, b3: {offset: 60, type: "u32"}, b4: {offset: 64, type: "u32"}, b5: {offset: 68, type: "u32"}, aSplat: {offset: 72, type: "u32"}, bSplat: {offset: 76, type: "u32"}, aZero: {offset: 80, type: "i32"}, bZero: {offset: 84, type: "i32"}, aMultiplier: {offset: 88, type: "i32"}, bMultiplier: {offset: 92, type: "i32"}, shift: {offset: 96, type: "u32"}, multiplier: {offset: 100, type: "f32"}, zeroPoint: {offset: 104, type: "i32"}, low: {offset: 108, type: "i32"}, high: {offset: 112, type: "i32"}}},
    a: {binding: 1, type: "read-only-storage", element: "u32"},
    b: {binding: 2, type: "read-only-storage", element: "u32"},
    out: {binding: 3, type: "storage", element: "u32"},
  },
} as const satisfies Shader;

const cast32 = {
  label: "cast_32",
  parts: [libGridWgsl, libRequantizeWgsl, cast32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32", FROM_FLOAT: "bool", TO: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 4, fields: {count: {offset: 0, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4u"},
    out: {binding: 2, type: "storage", element: "vec4u"},
  },
} as const satisfies Shader;

const clampGradF32 = {
  label: "clamp_grad_f32",
  parts: [libGridWgsl, clampGradF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 12, fields: {count: {offset: 0, type: "u32"}, low: {offset: 4, type: "f32"}, high: {offset: 8, type: "f32"}}},
    y: {binding: 1, type: "read-only-storage", element: "vec4f"},
    gradient: {binding: 2, type: "read-only-storage", element: "vec4f"},
    out: {binding: 3, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const clipFactorF32 = {
  label: "clip_factor_f32",
  parts: [clipFactorF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 8, fields: {count: {offset: 0, type: "u32"}, maxNorm: {offset: 4, type: "f32"}}},
    parts: {binding: 1, type: "read-only-storage", element: "f32"},
    outNorm: {binding: 2, type: "storage", element: "vec4f"},
    out: {binding: 3, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const compareF32 = {
  label: "compare_f32",
  parts: [compareF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 12, fields: {count: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}, last: {offset: 8, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    y: {binding: 2, type: "read-only-storage", element: "vec4f"},
    slot: {binding: 3, type: "storage", element: "vec2f"},
  },
} as const satisfies Shader;

const comparisonF32 = {
  label: "comparison_f32",
  parts: [libGridWgsl, libBroadcastWgsl, libOrderedWgsl, comparisonF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32", OP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 80, fields: {count: {offset: 0, type: "u32"}, dim1: {offset: 4, type: "u32"}, dim2: {offset: 8, type: "u32"}, dim3: {offset: 12, type: "u32"}, dim4: {offset: 16, type: "u32"}, dim5: {offset: 20, type: "u32"}, a0: {offset: 24, type: "u32"}, a1: {offset: 28, type: "u32"}, a2: {offset: 32, type: "u32"}, a3: {offset: 36, type: "u32"}, a4: {offset: 40, type: "u32"}, a5: {offset: 44, type: "u32"}, b0: {offset: 48, type: "u32"}, b1: {offset: 52, type: "u32"}, b2: {offset: 56, type: "u32"}, b3: {offset: 60, type: "u32"}, b4: {offset: 64, type: "u32"}, b5: {offset: 68, type: "u32"}, aSplat: {offset: 72, type: "u32"}, bSplat: {offset: 76, type: "u32"}}},
    a: {binding: 1, type: "read-only-storage", element: "vec4u"},
    b: {binding: 2, type: "read-only-storage", element: "vec4u"},
    out: {binding: 3, type: "storage", element: "vec4i"},
  },
} as const satisfies Shader;

const convDynamicI8 = {
  label: "conv_dynamic_i8",
  parts: [libGridWgsl, libWindowWgsl, libDot4Wgsl, libRequantizeWgsl, libStoreRealWgsl, libConvI8Wgsl, convDynamicI8Wgsl],
  tile: {PIXELS: 8, WORDS: 2, PACKED_DOT: 1},
  overrides: {PER_ROW: "bool", WIDE: "bool", CHUNKED: "bool", WORKGROUP: "u32", POINTWISE: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 80, fields: {pixels: {offset: 0, type: "u32"}, outHeight: {offset: 4, type: "u32"}, outWidth: {offset: 8, type: "u32"}, outWords: {offset: 12, type: "u32"}, inHeight: {offset: 16, type: "u32"}, inWidth: {offset: 20, type: "u32"}, inWords: {offset: 24, type: "u32"}, groupWords: {offset: 28, type: "u32"}, groupOuts: {offset: 32, type: "u32"}, kernelHeight: {offset: 36, type: "u32"}, kernelWidth: {offset: 40, type: "u32"}, strideHeight: {offset: 44, type: "u32"}, strideWidth: {offset: 48, type: "u32"}, dilationHeight: {offset: 52, type: "u32"}, dilationWidth: {offset: 56, type: "u32"}, padTop: {offset: 60, type: "u32"}, padLeft: {offset: 64, type: "u32"}, padWord: {offset: 68, type: "u32"}, low: {offset: 72, type: "f32"}, high: {offset: 76, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    filters: {binding: 2, type: "read-only-storage", element: "vec4u"},
    sums: {binding: 3, type: "read-only-storage", element: "vec4i"},
    factors: {binding: 4, type: "read-only-storage", element: "vec4f"},
    scale: {binding: 5, type: "read-only-storage", element: "vec4f"},
    zeroPoint: {binding: 6, type: "read-only-storage", element: "u32"},
    out: {binding: 7, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const convF32 = {
  label: "conv_f32",
  parts: [libGridWgsl, libWindowWgsl, libBoundsF32Wgsl, libBoundedWgsl, libConvF32Wgsl, libUnseenWgsl, convF32Wgsl],
  tile: {PIXELS: 8, WORDS: 2},
  overrides: {CHANNEL_BOUNDS: "bool", WORKGROUP: "u32", POINTWISE: "bool", RESIDUAL: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 80, fields: {pixels: {offset: 0, type: "u32"}, outHeight: {offset: 4, type: "u32"}, outWidth: {offset: 8, type: "u32"}, outWords: {offset: 12, type: "u32"}, inHeight: {offset: 16, type: "u32"}, inWidth: {offset: 20, type: "u32"}, inWords: {offset: 24, type: "u32"}, groupWords: {offset: 28, type: "u32"}, groupOuts: {offset: 32, type: "u32"}, kernelHeight: {offset: 36, type: "u32"}, kernelWidth: {offset: 40, type: "u32"}, strideHeight: {offset: 44, type: "u32"}, strideWidth: {offset: 48, type: "u32"}, dilationHeight: {offset: 52, type: "u32"}, dilationWidth: {offset: 56, type: "u32"}, padTop: {offset: 60, type: "u32"}, padLeft: {offset: 64, type: "u32"}, last: {offset: 68, type: "u32"}, low: {offset: 72, type: "f32"}, high: {offset: 76, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    filters: {binding: 2, type: "read-only-storage", element: "mat4x4f"},
    bias: {binding: 3, type: "read-only-storage", element: "vec4f"},
    residual: {binding: 4, type: "read-only-storage", element: "vec4f"},
    out: {binding: 5, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const convGradFilterF32 = {
  label: "conv_grad_filter_f32",
  parts: [libGridWgsl, libPixelsWgsl, convGradFilterF32Wgsl],
  tile: {OUTS: 2, COLUMNS: 4, FOUR: 4},
  overrides: {WORKGROUP: "u32", POINTWISE: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 88, fields: {count: {offset: 0, type: "u32"}, tiles: {offset: 4, type: "u32"}, columnTiles: {offset: 8, type: "u32"}, outTiles: {offset: 12, type: "u32"}, columns: {offset: 16, type: "u32"}, slice: {offset: 20, type: "u32"}, pixels: {offset: 24, type: "u32"}, outHeight: {offset: 28, type: "u32"}, outWidth: {offset: 32, type: "u32"}, outWords: {offset: 36, type: "u32"}, inHeight: {offset: 40, type: "u32"}, inWidth: {offset: 44, type: "u32"}, inWords: {offset: 48, type: "u32"}, groupWords: {offset: 52, type: "u32"}, groupOuts: {offset: 56, type: "u32"}, kernelWidth: {offset: 60, type: "u32"}, strideHeight: {offset: 64, type: "u32"}, strideWidth: {offset: 68, type: "u32"}, dilationHeight: {offset: 72, type: "u32"}, dilationWidth: {offset: 76, type: "u32"}, padTop: {offset: 80, type: "u32"}, padLeft: {offset: 84, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    gradient: {binding: 2, type: "read-only-storage", element: "vec4f"},
    out: {binding: 3, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const convGradFilterQuadF32 = {
  label: "conv_grad_filter_quad_f32",
  parts: [libGridWgsl, libPixelsWgsl, convGradFilterQuadF32Wgsl],
  tile: {OUTS: 1, COLUMNS: 4, FOUR: 4},
  overrides: {WORKGROUP: "u32", POINTWISE: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 88, fields: {count: {offset: 0, type: "u32"}, tiles: {offset: 4, type: "u32"}, columnTiles: {offset: 8, type: "u32"}, outTiles: {offset: 12, type: "u32"}, columns: {offset: 16, type: "u32"}, slice: {offset: 20, type: "u32"}, pixels: {offset: 24, type: "u32"}, outHeight: {offset: 28, type: "u32"}, outWidth: {offset: 32, type: "u32"}, outWords: {offset: 36, type: "u32"}, inHeight: {offset: 40, type: "u32"}, inWidth: {offset: 44, type: "u32"}, inWords: {offset: 48, type: "u32"}, groupWords: {offset: 52, type: "u32"}, groupOuts: {offset: 56, type: "u32"}, kernelWidth: {offset: 60, type: "u32"}, strideHeight: {offset: 64, type: "u32"}, strideWidth: {offset: 68, type: "u32"}, dilationHeight: {offset: 72, type: "u32"}, dilationWidth: {offset: 76, type: "u32"}, padTop: {offset: 80, type: "u32"}, padLeft: {offset: 84, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    gradient: {binding: 2, type: "read-only-storage", element: "vec4f"},
    out: {binding: 3, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const convI32 = {
  label: "conv_i32",
  parts: [libGridWgsl, libWindowWgsl, libDot4Wgsl, convI32Wgsl],
  tile: {PACKED_DOT: 1},
  overrides: {WORKGROUP: "u32", SPLIT: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 68, fields: {pixels: {offset: 0, type: "u32"}, outHeight: {offset: 4, type: "u32"}, outWidth: {offset: 8, type: "u32"}, outWords: {offset: 12, type: "u32"}, inHeight: {offset: 16, type: "u32"}, inWidth: {offset: 20, type: "u32"}, inWords: {offset: 24, type: "u32"}, groupWords: {offset: 28, type: "u32"}, groupOuts: {offset: 32, type: "u32"}, kernelHeight: {offset: 36, type: "u32"}, kernelWidth: {offset: 40, type: "u32"}, strideHeight: {offset: 44, type: "u32"}, strideWidth: {offset: 48, type: "u32"}, dilationHeight: {offset: 52, type: "u32"}, dilationWidth: {offset: 56, type: "u32"}, padTop: {offset: 60, type: "u32"}, padLeft: {offset: 64, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    filters: {binding: 2, type: "read-only-storage", element: "vec4u"},
    sums: {binding: 3, type: "read-only-storage", element: "vec4i"},
    zeroPoint: {binding: 4, type: "read-only-storage", element: "u32"},
    out: {binding: 5, type: "storage", element: "vec4i"},
  },
} as const satisfies Shader;

const convI8 = {
  label: "conv_i8",
  parts: [libGridWgsl, libWindowWgsl, libDot4Wgsl, libRequantizeWgsl, libRealSumWgsl, libBoundsI8Wgsl, libResidualWgsl, libResidualNowWgsl, libStoreI8Wgsl, libConvI8Wgsl, convI8Wgsl],
  tile: {PIXELS: 8, WORDS: 2, PACKED_DOT: 1},
  overrides: {FLOAT_BIAS: "bool", CHANNEL_BOUNDS: "bool", RESIDUAL: "bool", WIDE: "bool", CHUNKED: "bool", OFFSETS: "bool", WORKGROUP: "u32", POINTWISE: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 112, fields: {pixels: {offset: 0, type: "u32"}, outHeight: {offset: 4, type: "u32"}, outWidth: {offset: 8, type: "u32"}, outWords: {offset: 12, type: "u32"}, inHeight: {offset: 16, type: "u32"}, inWidth: {offset: 20, type: "u32"}, inWords: {offset: 24, type: "u32"}, groupWords: {offset: 28, type: "u32"}, groupOuts: {offset: 32, type: "u32"}, kernelHeight: {offset: 36, type: "u32"}, kernelWidth: {offset: 40, type: "u32"}, strideHeight: {offset: 44, type: "u32"}, strideWidth: {offset: 48, type: "u32"}, dilationHeight: {offset: 52, type: "u32"}, dilationWidth: {offset: 56, type: "u32"}, padTop: {offset: 60, type: "u32"}, padLeft: {offset: 64, type: "u32"}, padWord: {offset: 68, type: "u32"}, zeroPoint: {offset: 72, type: "i32"}, low: {offset: 76, type: "i32"}, high: {offset: 80, type: "i32"}, sumMultiplier: {offset: 84, type: "i32"}, residualMultiplier: {offset: 88, type: "i32"}, residualZero: {offset: 92, type: "i32"}, shift: {offset: 96, type: "u32"}, outZero: {offset: 100, type: "i32"}, outLow: {offset: 104, type: "i32"}, outHigh: {offset: 108, type: "i32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    filters: {binding: 2, type: "read-only-storage", element: "vec4u"},
    bias: {binding: 3, type: "read-only-storage", element: "vec4i"},
    multiplier: {binding: 4, type: "read-only-storage", element: "vec4f"},
    residual: {binding: 5, type: "read-only-storage", element: "u32"},
    out: {binding: 6, type: "storage", element: "u32"},
  },
} as const satisfies Shader;

const convMatrixDynamicI8 = {
  label: "conv_matrix_dynamic_i8",
  parts: [libWindowWgsl, libTapsWgsl, libQuadsI8Wgsl, libDot4Wgsl, libMatrixEmulatedWgsl, libRequantizeWgsl, libStoreRealWgsl, libConvMatrixI8Wgsl, convMatrixDynamicI8Wgsl],
  tile: {M: 16, N: 16, K: 32, LANES: 32, PINNED: 0, BYTES: 1, DOWN: 2, ACROSS: 2, ROWS: 2, COLUMNS: 1, STEPS: 2, X_LOADS: 2, STAGED: 1280, PACKED_DOT: 1, MATRIX_FORM: 0},
  overrides: {VECTOR: "bool", PER_ROW: "bool", WIDE: "bool", CHUNKED: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 92, fields: {pixels: {offset: 0, type: "u32"}, outHeight: {offset: 4, type: "u32"}, outWidth: {offset: 8, type: "u32"}, outWords: {offset: 12, type: "u32"}, inHeight: {offset: 16, type: "u32"}, inWidth: {offset: 20, type: "u32"}, inWords: {offset: 24, type: "u32"}, groupWords: {offset: 28, type: "u32"}, groupOuts: {offset: 32, type: "u32"}, kernelHeight: {offset: 36, type: "u32"}, kernelWidth: {offset: 40, type: "u32"}, strideHeight: {offset: 44, type: "u32"}, strideWidth: {offset: 48, type: "u32"}, dilationHeight: {offset: 52, type: "u32"}, dilationWidth: {offset: 56, type: "u32"}, padTop: {offset: 60, type: "u32"}, padLeft: {offset: 64, type: "u32"}, chunks: {offset: 68, type: "u32"}, groupTiles: {offset: 72, type: "u32"}, tilesWide: {offset: 76, type: "u32"}, padWord: {offset: 80, type: "u32"}, low: {offset: 84, type: "f32"}, high: {offset: 88, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    quads: {binding: 2, type: "read-only-storage", element: "vec4u"},
    filters: {binding: 3, type: "read-only-storage", element: "i32"},
    sums: {binding: 4, type: "read-only-storage", element: "vec4i"},
    factors: {binding: 5, type: "read-only-storage", element: "vec4f"},
    scale: {binding: 6, type: "read-only-storage", element: "vec4f"},
    zeroPoint: {binding: 7, type: "read-only-storage", element: "u32"},
    out: {binding: 8, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const convMatrixI8 = {
  label: "conv_matrix_i8",
  parts: [libWindowWgsl, libTapsWgsl, libQuadsI8Wgsl, libDot4Wgsl, libMatrixEmulatedWgsl, libRequantizeWgsl, libRealSumWgsl, libBoundsI8Wgsl, libResidualWgsl, libResidualNowWgsl, libStoreI8Wgsl, libConvMatrixI8Wgsl, convMatrixI8Wgsl],
  tile: {M: 16, N: 16, K: 32, LANES: 32, PINNED: 0, BYTES: 1, DOWN: 2, ACROSS: 2, ROWS: 2, COLUMNS: 1, STEPS: 2, X_LOADS: 2, STAGED: 1280, PACKED_DOT: 1, MATRIX_FORM: 0},
  overrides: {VECTOR: "bool", FLOAT_BIAS: "bool", CHANNEL_BOUNDS: "bool", RESIDUAL: "bool", WIDE: "bool", CHUNKED: "bool", OFFSETS: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 124, fields: {pixels: {offset: 0, type: "u32"}, outHeight: {offset: 4, type: "u32"}, outWidth: {offset: 8, type: "u32"}, outWords: {offset: 12, type: "u32"}, inHeight: {offset: 16, type: "u32"}, inWidth: {offset: 20, type: "u32"}, inWords: {offset: 24, type: "u32"}, groupWords: {offset: 28, type: "u32"}, groupOuts: {offset: 32, type: "u32"}, kernelHeight: {offset: 36, type: "u32"}, kernelWidth: {offset: 40, type: "u32"}, strideHeight: {offset: 44, type: "u32"}, strideWidth: {offset: 48, type: "u32"}, dilationHeight: {offset: 52, type: "u32"}, dilationWidth: {offset: 56, type: "u32"}, padTop: {offset: 60, type: "u32"}, padLeft: {offset: 64, type: "u32"}, chunks: {offset: 68, type: "u32"}, groupTiles: {offset: 72, type: "u32"}, tilesWide: {offset: 76, type: "u32"}, padWord: {offset: 80, type: "u32"}, zeroPoint: {offset: 84, type: "i32"}, low: {offset: 88, type: "i32"}, high: {offset: 92, type: "i32"}, sumMultiplier: {offset: 96, type: "i32"}, residualMultiplier: {offset: 100, type: "i32"}, residualZero: {offset: 104, type: "i32"}, shift: {offset: 108, type: "u32"}, outZero: {offset: 112, type: "i32"}, outLow: {offset: 116, type: "i32"}, outHigh: {offset: 120, type: "i32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    quads: {binding: 2, type: "read-only-storage", element: "vec4u"},
    filters: {binding: 3, type: "read-only-storage", element: "i32"},
    bias: {binding: 4, type: "read-only-storage", element: "vec4i"},
    multiplier: {binding: 5, type: "read-only-storage", element: "vec4f"},
    residual: {binding: 6, type: "read-only-storage", element: "u32"},
    out: {binding: 7, type: "storage", element: "u32"},
  },
} as const satisfies Shader;

const convObservedF32 = {
  label: "conv_observed_f32",
  parts: [libGridWgsl, libWindowWgsl, libBoundsF32Wgsl, libBoundedWgsl, libConvF32Wgsl, libOrderedWgsl, libSeenWgsl, convObservedF32Wgsl],
  tile: {PIXELS: 8, WORDS: 2},
  overrides: {CHANNEL_BOUNDS: "bool", WORKGROUP: "u32", POINTWISE: "bool", RESIDUAL: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 80, fields: {pixels: {offset: 0, type: "u32"}, outHeight: {offset: 4, type: "u32"}, outWidth: {offset: 8, type: "u32"}, outWords: {offset: 12, type: "u32"}, inHeight: {offset: 16, type: "u32"}, inWidth: {offset: 20, type: "u32"}, inWords: {offset: 24, type: "u32"}, groupWords: {offset: 28, type: "u32"}, groupOuts: {offset: 32, type: "u32"}, kernelHeight: {offset: 36, type: "u32"}, kernelWidth: {offset: 40, type: "u32"}, strideHeight: {offset: 44, type: "u32"}, strideWidth: {offset: 48, type: "u32"}, dilationHeight: {offset: 52, type: "u32"}, dilationWidth: {offset: 56, type: "u32"}, padTop: {offset: 60, type: "u32"}, padLeft: {offset: 64, type: "u32"}, last: {offset: 68, type: "u32"}, low: {offset: 72, type: "f32"}, high: {offset: 76, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    filters: {binding: 2, type: "read-only-storage", element: "mat4x4f"},
    bias: {binding: 3, type: "read-only-storage", element: "vec4f"},
    residual: {binding: 4, type: "read-only-storage", element: "vec4f"},
    out: {binding: 5, type: "storage", element: "vec4f"},
    slot: {binding: 6, type: "storage", element: "atomic<u32>"},
  },
} as const satisfies Shader;

const convQuadDynamicI8 = {
  label: "conv_quad_dynamic_i8",
  parts: [libGridWgsl, libWindowWgsl, libDot4Wgsl, libRequantizeWgsl, libStoreRealWgsl, libConvQuadI8Wgsl, convQuadDynamicI8Wgsl],
  tile: {QUARTER: 4, WORDS: 1, FOUR: 4, STEPS: 1, PACKED_DOT: 1},
  overrides: {PER_ROW: "bool", WIDE: "bool", CHUNKED: "bool", WORKGROUP: "u32", POINTWISE: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 80, fields: {pixels: {offset: 0, type: "u32"}, outHeight: {offset: 4, type: "u32"}, outWidth: {offset: 8, type: "u32"}, outWords: {offset: 12, type: "u32"}, inHeight: {offset: 16, type: "u32"}, inWidth: {offset: 20, type: "u32"}, inWords: {offset: 24, type: "u32"}, groupWords: {offset: 28, type: "u32"}, groupOuts: {offset: 32, type: "u32"}, kernelHeight: {offset: 36, type: "u32"}, kernelWidth: {offset: 40, type: "u32"}, strideHeight: {offset: 44, type: "u32"}, strideWidth: {offset: 48, type: "u32"}, dilationHeight: {offset: 52, type: "u32"}, dilationWidth: {offset: 56, type: "u32"}, padTop: {offset: 60, type: "u32"}, padLeft: {offset: 64, type: "u32"}, padWord: {offset: 68, type: "u32"}, low: {offset: 72, type: "f32"}, high: {offset: 76, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    filters: {binding: 2, type: "read-only-storage", element: "u32"},
    sums: {binding: 3, type: "read-only-storage", element: "vec4i"},
    factors: {binding: 4, type: "read-only-storage", element: "vec4f"},
    scale: {binding: 5, type: "read-only-storage", element: "vec4f"},
    zeroPoint: {binding: 6, type: "read-only-storage", element: "u32"},
    out: {binding: 7, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const convQuadF32 = {
  label: "conv_quad_f32",
  parts: [libGridWgsl, libWindowWgsl, libBoundsF32Wgsl, libBoundedWgsl, libConvQuadF32Wgsl, libUnseenWgsl, convQuadF32Wgsl],
  tile: {QUARTER: 4, WORDS: 1, FOUR: 4, STEPS: 1},
  overrides: {CHANNEL_BOUNDS: "bool", WORKGROUP: "u32", POINTWISE: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 84, fields: {pixels: {offset: 0, type: "u32"}, outHeight: {offset: 4, type: "u32"}, outWidth: {offset: 8, type: "u32"}, outWords: {offset: 12, type: "u32"}, inHeight: {offset: 16, type: "u32"}, inWidth: {offset: 20, type: "u32"}, inWords: {offset: 24, type: "u32"}, groupWords: {offset: 28, type: "u32"}, groupOuts: {offset: 32, type: "u32"}, kernelHeight: {offset: 36, type: "u32"}, kernelWidth: {offset: 40, type: "u32"}, strideHeight: {offset: 44, type: "u32"}, strideWidth: {offset: 48, type: "u32"}, dilationHeight: {offset: 52, type: "u32"}, dilationWidth: {offset: 56, type: "u32"}, padTop: {offset: 60, type: "u32"}, padLeft: {offset: 64, type: "u32"}, last: {offset: 68, type: "u32"}, low: {offset: 72, type: "f32"}, high: {offset: 76, type: "f32"}, hasResidual: {offset: 80, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    filters: {binding: 2, type: "read-only-storage", element: "vec4f"},
    bias: {binding: 3, type: "read-only-storage", element: "vec4f"},
    residual: {binding: 4, type: "read-only-storage", element: "vec4f"},
    out: {binding: 5, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const convQuadI8 = {
  label: "conv_quad_i8",
  parts: [libGridWgsl, libWindowWgsl, libDot4Wgsl, libRequantizeWgsl, libRealSumWgsl, libBoundsI8Wgsl, libResidualWgsl, libStoreI8Wgsl, libConvQuadI8Wgsl, convQuadI8Wgsl],
  tile: {QUARTER: 4, WORDS: 1, FOUR: 4, STEPS: 1, PACKED_DOT: 1},
  overrides: {FLOAT_BIAS: "bool", CHANNEL_BOUNDS: "bool", WIDE: "bool", CHUNKED: "bool", OFFSETS: "bool", WORKGROUP: "u32", POINTWISE: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 116, fields: {pixels: {offset: 0, type: "u32"}, outHeight: {offset: 4, type: "u32"}, outWidth: {offset: 8, type: "u32"}, outWords: {offset: 12, type: "u32"}, inHeight: {offset: 16, type: "u32"}, inWidth: {offset: 20, type: "u32"}, inWords: {offset: 24, type: "u32"}, groupWords: {offset: 28, type: "u32"}, groupOuts: {offset: 32, type: "u32"}, kernelHeight: {offset: 36, type: "u32"}, kernelWidth: {offset: 40, type: "u32"}, strideHeight: {offset: 44, type: "u32"}, strideWidth: {offset: 48, type: "u32"}, dilationHeight: {offset: 52, type: "u32"}, dilationWidth: {offset: 56, type: "u32"}, padTop: {offset: 60, type: "u32"}, padLeft: {offset: 64, type: "u32"}, padWord: {offset: 68, type: "u32"}, zeroPoint: {offset: 72, type: "i32"}, low: {offset: 76, type: "i32"}, high: {offset: 80, type: "i32"}, sumMultiplier: {offset: 84, type: "i32"}, residualMultiplier: {offset: 88, type: "i32"}, residualZero: {offset: 92, type: "i32"}, shift: {offset: 96, type: "u32"}, outZero: {offset: 100, type: "i32"}, outLow: {offset: 104, type: "i32"}, outHigh: {offset: 108, type: "i32"}, hasResidual: {offset: 112, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    filters: {binding: 2, type: "read-only-storage", element: "u32"},
    bias: {binding: 3, type: "read-only-storage", element: "vec4i"},
    multiplier: {binding: 4, type: "read-only-storage", element: "vec4f"},
    residual: {binding: 5, type: "read-only-storage", element: "u32"},
    out: {binding: 6, type: "storage", element: "u32"},
  },
} as const satisfies Shader;

const convQuadObservedF32 = {
  label: "conv_quad_observed_f32",
  parts: [libGridWgsl, libWindowWgsl, libBoundsF32Wgsl, libBoundedWgsl, libConvQuadF32Wgsl, libOrderedWgsl, libSeenWgsl, convQuadObservedF32Wgsl],
  tile: {QUARTER: 4, WORDS: 1, FOUR: 4, STEPS: 1},
  overrides: {CHANNEL_BOUNDS: "bool", WORKGROUP: "u32", POINTWISE: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 84, fields: {pixels: {offset: 0, type: "u32"}, outHeight: {offset: 4, type: "u32"}, outWidth: {offset: 8, type: "u32"}, outWords: {offset: 12, type: "u32"}, inHeight: {offset: 16, type: "u32"}, inWidth: {offset: 20, type: "u32"}, inWords: {offset: 24, type: "u32"}, groupWords: {offset: 28, type: "u32"}, groupOuts: {offset: 32, type: "u32"}, kernelHeight: {offset: 36, type: "u32"}, kernelWidth: {offset: 40, type: "u32"}, strideHeight: {offset: 44, type: "u32"}, strideWidth: {offset: 48, type: "u32"}, dilationHeight: {offset: 52, type: "u32"}, dilationWidth: {offset: 56, type: "u32"}, padTop: {offset: 60, type: "u32"}, padLeft: {offset: 64, type: "u32"}, last: {offset: 68, type: "u32"}, low: {offset: 72, type: "f32"}, high: {offset: 76, type: "f32"}, hasResidual: {offset: 80, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    filters: {binding: 2, type: "read-only-storage", element: "vec4f"},
    bias: {binding: 3, type: "read-only-storage", element: "vec4f"},
    residual: {binding: 4, type: "read-only-storage", element: "vec4f"},
    out: {binding: 5, type: "storage", element: "vec4f"},
    slot: {binding: 6, type: "storage", element: "atomic<u32>"},
  },
} as const satisfies Shader;

const convTiledDynamicI8 = {
  label: "conv_tiled_dynamic_i8",
  parts: [libWindowWgsl, libTapsWgsl, libQuadsI8Wgsl, libDot4Wgsl, libRequantizeWgsl, libStoreRealWgsl, libShareWholeWgsl, libConvTiledI8Wgsl, convTiledDynamicI8Wgsl],
  tile: {DOWN: 8, ACROSS: 8, ROWS: 4, WORDS: 2, QUADS: 4, X_LOADS: 2, F_LOADS: 4, PACKED_DOT: 1},
  overrides: {VECTOR: "bool", PER_ROW: "bool", WIDE: "bool", CHUNKED: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 92, fields: {pixels: {offset: 0, type: "u32"}, outHeight: {offset: 4, type: "u32"}, outWidth: {offset: 8, type: "u32"}, outWords: {offset: 12, type: "u32"}, inHeight: {offset: 16, type: "u32"}, inWidth: {offset: 20, type: "u32"}, inWords: {offset: 24, type: "u32"}, groupWords: {offset: 28, type: "u32"}, groupOuts: {offset: 32, type: "u32"}, kernelHeight: {offset: 36, type: "u32"}, kernelWidth: {offset: 40, type: "u32"}, strideHeight: {offset: 44, type: "u32"}, strideWidth: {offset: 48, type: "u32"}, dilationHeight: {offset: 52, type: "u32"}, dilationWidth: {offset: 56, type: "u32"}, padTop: {offset: 60, type: "u32"}, padLeft: {offset: 64, type: "u32"}, chunks: {offset: 68, type: "u32"}, groupTiles: {offset: 72, type: "u32"}, tilesWide: {offset: 76, type: "u32"}, padWord: {offset: 80, type: "u32"}, low: {offset: 84, type: "f32"}, high: {offset: 88, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    quads: {binding: 2, type: "read-only-storage", element: "vec4u"},
    filters: {binding: 3, type: "read-only-storage", element: "vec4u"},
    sums: {binding: 4, type: "read-only-storage", element: "vec4i"},
    factors: {binding: 5, type: "read-only-storage", element: "vec4f"},
    scale: {binding: 6, type: "read-only-storage", element: "vec4f"},
    zeroPoint: {binding: 7, type: "read-only-storage", element: "u32"},
    out: {binding: 8, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const convTiledF32 = {
  label: "conv_tiled_f32",
  parts: [libWindowWgsl, libTapsWgsl, libBoundsF32Wgsl, libBoundedWgsl, libStoreF32Wgsl, convTiledF32Wgsl],
  tile: {DOWN: 8, ACROSS: 8, ROWS: 4, WORDS: 2, CHUNK: 8, X_LOADS: 4, F_LOADS: 8},
  overrides: {CHANNEL_BOUNDS: "bool", RESIDUAL: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 92, fields: {pixels: {offset: 0, type: "u32"}, outHeight: {offset: 4, type: "u32"}, outWidth: {offset: 8, type: "u32"}, outWords: {offset: 12, type: "u32"}, inHeight: {offset: 16, type: "u32"}, inWidth: {offset: 20, type: "u32"}, inWords: {offset: 24, type: "u32"}, groupWords: {offset: 28, type: "u32"}, groupOuts: {offset: 32, type: "u32"}, kernelHeight: {offset: 36, type: "u32"}, kernelWidth: {offset: 40, type: "u32"}, strideHeight: {offset: 44, type: "u32"}, strideWidth: {offset: 48, type: "u32"}, dilationHeight: {offset: 52, type: "u32"}, dilationWidth: {offset: 56, type: "u32"}, padTop: {offset: 60, type: "u32"}, padLeft: {offset: 64, type: "u32"}, last: {offset: 68, type: "u32"}, chunks: {offset: 72, type: "u32"}, groupTiles: {offset: 76, type: "u32"}, tilesWide: {offset: 80, type: "u32"}, low: {offset: 84, type: "f32"}, high: {offset: 88, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    filters: {binding: 2, type: "read-only-storage", element: "vec4f"},
    bias: {binding: 3, type: "read-only-storage", element: "vec4f"},
    residual: {binding: 4, type: "read-only-storage", element: "vec4f"},
    out: {binding: 5, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const convTiledI8 = {
  label: "conv_tiled_i8",
  parts: [libWindowWgsl, libTapsWgsl, libQuadsI8Wgsl, libDot4Wgsl, libRequantizeWgsl, libRealSumWgsl, libBoundsI8Wgsl, libResidualWgsl, libResidualNowWgsl, libStoreI8Wgsl, libShareWholeWgsl, libConvTiledI8Wgsl, convTiledI8Wgsl],
  tile: {DOWN: 8, ACROSS: 8, ROWS: 4, WORDS: 2, QUADS: 4, X_LOADS: 2, F_LOADS: 4, PACKED_DOT: 1},
  overrides: {VECTOR: "bool", FLOAT_BIAS: "bool", CHANNEL_BOUNDS: "bool", RESIDUAL: "bool", WIDE: "bool", CHUNKED: "bool", OFFSETS: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 124, fields: {pixels: {offset: 0, type: "u32"}, outHeight: {offset: 4, type: "u32"}, outWidth: {offset: 8, type: "u32"}, outWords: {offset: 12, type: "u32"}, inHeight: {offset: 16, type: "u32"}, inWidth: {offset: 20, type: "u32"}, inWords: {offset: 24, type: "u32"}, groupWords: {offset: 28, type: "u32"}, groupOuts: {offset: 32, type: "u32"}, kernelHeight: {offset: 36, type: "u32"}, kernelWidth: {offset: 40, type: "u32"}, strideHeight: {offset: 44, type: "u32"}, strideWidth: {offset: 48, type: "u32"}, dilationHeight: {offset: 52, type: "u32"}, dilationWidth: {offset: 56, type: "u32"}, padTop: {offset: 60, type: "u32"}, padLeft: {offset: 64, type: "u32"}, chunks: {offset: 68, type: "u32"}, groupTiles: {offset: 72, type: "u32"}, tilesWide: {offset: 76, type: "u32"}, padWord: {offset: 80, type: "u32"}, zeroPoint: {offset: 84, type: "i32"}, low: {offset: 88, type: "i32"}, high: {offset: 92, type: "i32"}, sumMultiplier: {offset: 96, type: "i32"}, residualMultiplier: {offset: 100, type: "i32"}, residualZero: {offset: 104, type: "i32"}, shift: {offset: 108, type: "u32"}, outZero: {offset: 112, type: "i32"}, outLow: {offset: 116, type: "i32"}, outHigh: {offset: 120, type: "i32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    quads: {binding: 2, type: "read-only-storage", element: "vec4u"},
    filters: {binding: 3, type: "read-only-storage", element: "vec4u"},
    bias: {binding: 4, type: "read-only-storage", element: "vec4i"},
    multiplier: {binding: 5, type: "read-only-storage", element: "vec4f"},
    residual: {binding: 6, type: "read-only-storage", element: "u32"},
    out: {binding: 7, type: "storage", element: "u32"},
  },
} as const satisfies Shader;

const convTiledPartsI8 = {
  label: "conv_tiled_parts_i8",
  parts: [libWindowWgsl, libTapsWgsl, libQuadsI8Wgsl, libDot4Wgsl, libStorePartsWgsl, libSharePartWgsl, libConvTiledI8Wgsl, convTiledPartsI8Wgsl],
  tile: {DOWN: 8, ACROSS: 8, ROWS: 4, WORDS: 2, QUADS: 4, X_LOADS: 2, F_LOADS: 4, PACKED_DOT: 1},
  overrides: {VECTOR: "bool", CHUNKED: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 96, fields: {pixels: {offset: 0, type: "u32"}, outHeight: {offset: 4, type: "u32"}, outWidth: {offset: 8, type: "u32"}, outWords: {offset: 12, type: "u32"}, inHeight: {offset: 16, type: "u32"}, inWidth: {offset: 20, type: "u32"}, inWords: {offset: 24, type: "u32"}, groupWords: {offset: 28, type: "u32"}, groupOuts: {offset: 32, type: "u32"}, kernelHeight: {offset: 36, type: "u32"}, kernelWidth: {offset: 40, type: "u32"}, strideHeight: {offset: 44, type: "u32"}, strideWidth: {offset: 48, type: "u32"}, dilationHeight: {offset: 52, type: "u32"}, dilationWidth: {offset: 56, type: "u32"}, padTop: {offset: 60, type: "u32"}, padLeft: {offset: 64, type: "u32"}, chunks: {offset: 68, type: "u32"}, groupTiles: {offset: 72, type: "u32"}, tilesWide: {offset: 76, type: "u32"}, padWord: {offset: 80, type: "u32"}, tiles: {offset: 84, type: "u32"}, parts: {offset: 88, type: "u32"}, share: {offset: 92, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    quads: {binding: 2, type: "read-only-storage", element: "vec4u"},
    filters: {binding: 3, type: "read-only-storage", element: "vec4u"},
    out: {binding: 4, type: "storage", element: "vec4i"},
  },
} as const satisfies Shader;

const copy32 = {
  label: "copy_32",
  parts: [libGridWgsl, libCopyWgsl, copy32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32", KEEP: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 112, fields: {count: {offset: 0, type: "u32"}, last: {offset: 4, type: "u32"}, base: {offset: 8, type: "i32"}, dim0: {offset: 12, type: "u32"}, origin0: {offset: 16, type: "i32"}, extent0: {offset: 20, type: "i32"}, stride0: {offset: 24, type: "i32"}, dim1: {offset: 28, type: "u32"}, origin1: {offset: 32, type: "i32"}, extent1: {offset: 36, type: "i32"}, stride1: {offset: 40, type: "i32"}, dim2: {offset: 44, type: "u32"}, origin2: {offset: 48, type: "i32"}, extent2: {offset: 52, type: "i32"}, stride2: {offset: 56, type: "i32"}, dim3: {offset: 60, type: "u32"}, origin3: {offset: 64, type: "i32"}, extent3: {offset: 68, type: "i32"}, stride3: {offset: 72, type: "i32"}, dim4: {offset: 76, type: "u32"}, origin4: {offset: 80, type: "i32"}, extent4: {offset: 84, type: "i32"}, stride4: {offset: 88, type: "i32"}, dim5: {offset: 92, type: "u32"}, origin5: {offset: 96, type: "i32"}, extent5: {offset: 100, type: "i32"}, stride5: {offset: 104, type: "i32"}, fill: {offset: 108, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    out: {binding: 2, type: "storage", element: "vec4u"},
  },
} as const satisfies Shader;

const copyI8 = {
  label: "copy_i8",
  parts: [libGridWgsl, libCopyWgsl, libDot4Wgsl, libRequantizeWgsl, copyI8Wgsl],
  tile: {PACKED_DOT: 1},
  overrides: {WORKGROUP: "u32", KEEP: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 132, fields: {count: {offset: 0, type: "u32"}, last: {offset: 4, type: "u32"}, base: {offset: 8, type: "i32"}, dim0: {offset: 12, type: "u32"}, origin0: {offset: 16, type: "i32"}, extent0: {offset: 20, type: "i32"}, stride0: {offset: 24, type: "i32"}, dim1: {offset: 28, type: "u32"}, origin1: {offset: 32, type: "i32"}, extent1: {offset: 36, type: "i32"}, stride1: {offset: 40, type: "i32"}, dim2: {offset: 44, type: "u32"}, origin2: {offset: 48, type: "i32"}, extent2: {offset: 52, type: "i32"}, stride2: {offset: 56, type: "i32"}, dim3: {offset: 60, type: "u32"}, origin3: {offset: 64, type: "i32"}, extent3: {offset: 68, type: "i32"}, stride3: {offset: 72, type: "i32"}, dim4: {offset: 76, type: "u32"}, origin4: {offset: 80, type: "i32"}, extent4: {offset: 84, type: "i32"}, stride4: {offset: 88, type: "i32"}, dim5: {offset: 92, type: "u32"}, origin5: {offset: 96, type: "i32"}, extent5: {offset: 100, type: "i32"}, stride5: {offset: 104, type: "i32"}, fill: {offset: 108, type: "i32"}, inZero: {offset: 112, type: "i32"}, multiplier: {offset: 116, type: "f32"}, zeroPoint: {offset: 120, type: "i32"}, low: {offset: 124, type: "i32"}, high: {offset: 128, type: "i32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    out: {binding: 2, type: "storage", element: "u32"},
  },
} as const satisfies Shader;

const crossEntropyF32 = {
  label: "cross_entropy_f32",
  parts: [libGridWgsl, libCrossEntropyWgsl, crossEntropyF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 24, fields: {count: {offset: 0, type: "u32"}, room: {offset: 4, type: "u32"}, words: {offset: 8, type: "u32"}, last: {offset: 12, type: "u32"}, share: {offset: 16, type: "f32"}, spread: {offset: 20, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    labels: {binding: 2, type: "read-only-storage", element: "i32"},
    slot: {binding: 3, type: "storage", element: "atomic<i32>"},
    out: {binding: 4, type: "storage", element: "f32"},
  },
} as const satisfies Shader;

const crossEntropyGradF32 = {
  label: "cross_entropy_grad_f32",
  parts: [libGridWgsl, libCrossEntropyWgsl, crossEntropyGradF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 24, fields: {count: {offset: 0, type: "u32"}, room: {offset: 4, type: "u32"}, words: {offset: 8, type: "u32"}, last: {offset: 12, type: "u32"}, share: {offset: 16, type: "f32"}, spread: {offset: 20, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    labels: {binding: 2, type: "read-only-storage", element: "i32"},
    gradient: {binding: 3, type: "read-only-storage", element: "f32"},
    out: {binding: 4, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const depthwiseF32 = {
  label: "depthwise_f32",
  parts: [libGridWgsl, libBoundsF32Wgsl, libBoundedWgsl, depthwiseF32Wgsl],
  tile: {},
  overrides: {CHANNEL_BOUNDS: "bool", WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 68, fields: {count: {offset: 0, type: "u32"}, outHeight: {offset: 4, type: "u32"}, outWidth: {offset: 8, type: "u32"}, words: {offset: 12, type: "u32"}, inHeight: {offset: 16, type: "u32"}, inWidth: {offset: 20, type: "u32"}, kernelHeight: {offset: 24, type: "u32"}, kernelWidth: {offset: 28, type: "u32"}, strideHeight: {offset: 32, type: "u32"}, strideWidth: {offset: 36, type: "u32"}, dilationHeight: {offset: 40, type: "u32"}, dilationWidth: {offset: 44, type: "u32"}, padTop: {offset: 48, type: "u32"}, padLeft: {offset: 52, type: "u32"}, last: {offset: 56, type: "u32"}, low: {offset: 60, type: "f32"}, high: {offset: 64, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    filters: {binding: 2, type: "read-only-storage", element: "vec4f"},
    bias: {binding: 3, type: "read-only-storage", element: "vec4f"},
    out: {binding: 4, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const depthwiseGradFilterF32 = {
  label: "depthwise_grad_filter_f32",
  parts: [libGridWgsl, depthwiseGradFilterF32Wgsl],
  tile: {ROWS: 2, COLUMNS: 4, KERNEL_HEIGHT: 3, KERNEL_WIDTH: 3, STRIDE_HEIGHT: 1, STRIDE_WIDTH: 1, PATCH_HEIGHT: 4, PATCH_WIDTH: 6},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 48, fields: {count: {offset: 0, type: "u32"}, tiles: {offset: 4, type: "u32"}, slice: {offset: 8, type: "u32"}, rowTiles: {offset: 12, type: "u32"}, columnTiles: {offset: 16, type: "u32"}, outHeight: {offset: 20, type: "u32"}, outWidth: {offset: 24, type: "u32"}, words: {offset: 28, type: "u32"}, inHeight: {offset: 32, type: "u32"}, inWidth: {offset: 36, type: "u32"}, padTop: {offset: 40, type: "u32"}, padLeft: {offset: 44, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    gradient: {binding: 2, type: "read-only-storage", element: "vec4f"},
    out: {binding: 3, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const depthwiseI32 = {
  label: "depthwise_i32",
  parts: [libGridWgsl, libDot4Wgsl, depthwiseI32Wgsl],
  tile: {PACKED_DOT: 1},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 56, fields: {count: {offset: 0, type: "u32"}, outHeight: {offset: 4, type: "u32"}, outWidth: {offset: 8, type: "u32"}, words: {offset: 12, type: "u32"}, inHeight: {offset: 16, type: "u32"}, inWidth: {offset: 20, type: "u32"}, kernelHeight: {offset: 24, type: "u32"}, kernelWidth: {offset: 28, type: "u32"}, strideHeight: {offset: 32, type: "u32"}, strideWidth: {offset: 36, type: "u32"}, dilationHeight: {offset: 40, type: "u32"}, dilationWidth: {offset: 44, type: "u32"}, padTop: {offset: 48, type: "u32"}, padLeft: {offset: 52, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    filters: {binding: 2, type: "read-only-storage", element: "vec4i"},
    zeroPoint: {binding: 3, type: "read-only-storage", element: "u32"},
    out: {binding: 4, type: "storage", element: "vec4i"},
  },
} as const satisfies Shader;

const depthwiseI8 = {
  label: "depthwise_i8",
  parts: [libGridWgsl, libDot4Wgsl, libRequantizeWgsl, libRealSumWgsl, libBoundsI8Wgsl, depthwiseI8Wgsl],
  tile: {PACKED_DOT: 1},
  overrides: {FLOAT_BIAS: "bool", CHANNEL_BOUNDS: "bool", WORKGROUP: "u32", WIDE: "bool", OFFSETS: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 72, fields: {count: {offset: 0, type: "u32"}, outHeight: {offset: 4, type: "u32"}, outWidth: {offset: 8, type: "u32"}, words: {offset: 12, type: "u32"}, inHeight: {offset: 16, type: "u32"}, inWidth: {offset: 20, type: "u32"}, kernelHeight: {offset: 24, type: "u32"}, kernelWidth: {offset: 28, type: "u32"}, strideHeight: {offset: 32, type: "u32"}, strideWidth: {offset: 36, type: "u32"}, dilationHeight: {offset: 40, type: "u32"}, dilationWidth: {offset: 44, type: "u32"}, padTop: {offset: 48, type: "u32"}, padLeft: {offset: 52, type: "u32"}, padWord: {offset: 56, type: "u32"}, zeroPoint: {offset: 60, type: "i32"}, low: {offset: 64, type: "i32"}, high: {offset: 68, type: "i32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    filters: {binding: 2, type: "read-only-storage", element: "u32"},
    bias: {binding: 3, type: "read-only-storage", element: "vec4i"},
    multiplier: {binding: 4, type: "read-only-storage", element: "vec4f"},
    out: {binding: 5, type: "storage", element: "u32"},
  },
} as const satisfies Shader;

const depthwiseTileF32 = {
  label: "depthwise_tile_f32",
  parts: [libGridWgsl, libBoundsF32Wgsl, libBoundedWgsl, libDepthwiseTileF32Wgsl, libUnseenWgsl, depthwiseTileF32Wgsl],
  tile: {ROWS: 2, COLUMNS: 4, KERNEL_HEIGHT: 3, KERNEL_WIDTH: 3, STRIDE_HEIGHT: 1, STRIDE_WIDTH: 1, PATCH_HEIGHT: 4, PATCH_WIDTH: 6},
  overrides: {CHANNEL_BOUNDS: "bool", WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 52, fields: {count: {offset: 0, type: "u32"}, rowTiles: {offset: 4, type: "u32"}, columnTiles: {offset: 8, type: "u32"}, outHeight: {offset: 12, type: "u32"}, outWidth: {offset: 16, type: "u32"}, words: {offset: 20, type: "u32"}, inHeight: {offset: 24, type: "u32"}, inWidth: {offset: 28, type: "u32"}, padTop: {offset: 32, type: "u32"}, padLeft: {offset: 36, type: "u32"}, last: {offset: 40, type: "u32"}, low: {offset: 44, type: "f32"}, high: {offset: 48, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    filters: {binding: 2, type: "read-only-storage", element: "vec4f"},
    bias: {binding: 3, type: "read-only-storage", element: "vec4f"},
    out: {binding: 4, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const depthwiseTileI32 = {
  label: "depthwise_tile_i32",
  parts: [libGridWgsl, libDot4Wgsl, depthwiseTileI32Wgsl],
  tile: {ROWS: 2, COLUMNS: 4, KERNEL_HEIGHT: 3, KERNEL_WIDTH: 3, STRIDE_HEIGHT: 1, STRIDE_WIDTH: 1, PATCH_HEIGHT: 4, PATCH_WIDTH: 6, PACKED_DOT: 1},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 40, fields: {count: {offset: 0, type: "u32"}, rowTiles: {offset: 4, type: "u32"}, columnTiles: {offset: 8, type: "u32"}, outHeight: {offset: 12, type: "u32"}, outWidth: {offset: 16, type: "u32"}, words: {offset: 20, type: "u32"}, inHeight: {offset: 24, type: "u32"}, inWidth: {offset: 28, type: "u32"}, padTop: {offset: 32, type: "u32"}, padLeft: {offset: 36, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    filters: {binding: 2, type: "read-only-storage", element: "vec4i"},
    zeroPoint: {binding: 3, type: "read-only-storage", element: "u32"},
    out: {binding: 4, type: "storage", element: "vec4i"},
  },
} as const satisfies Shader;

const depthwiseTileI8 = {
  label: "depthwise_tile_i8",
  parts: [libGridWgsl, libDot4Wgsl, libRequantizeWgsl, libRealSumWgsl, libBoundsI8Wgsl, depthwiseTileI8Wgsl],
  tile: {ROWS: 2, COLUMNS: 4, KERNEL_HEIGHT: 3, KERNEL_WIDTH: 3, STRIDE_HEIGHT: 1, STRIDE_WIDTH: 1, PATCH_HEIGHT: 4, PATCH_WIDTH: 6, PACKED_DOT: 1},
  overrides: {FLOAT_BIAS: "bool", CHANNEL_BOUNDS: "bool", WORKGROUP: "u32", WIDE: "bool", OFFSETS: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 56, fields: {count: {offset: 0, type: "u32"}, rowTiles: {offset: 4, type: "u32"}, columnTiles: {offset: 8, type: "u32"}, outHeight: {offset: 12, type: "u32"}, outWidth: {offset: 16, type: "u32"}, words: {offset: 20, type: "u32"}, inHeight: {offset: 24, type: "u32"}, inWidth: {offset: 28, type: "u32"}, padTop: {offset: 32, type: "u32"}, padLeft: {offset: 36, type: "u32"}, padWord: {offset: 40, type: "u32"}, zeroPoint: {offset: 44, type: "i32"}, low: {offset: 48, type: "i32"}, high: {offset: 52, type: "i32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    filters: {binding: 2, type: "read-only-storage", element: "u32"},
    bias: {binding: 3, type: "read-only-storage", element: "vec4i"},
    multiplier: {binding: 4, type: "read-only-storage", element: "vec4f"},
    out: {binding: 5, type: "storage", element: "u32"},
  },
} as const satisfies Shader;

const depthwiseTileObservedF32 = {
  label: "depthwise_tile_observed_f32",
  parts: [libGridWgsl, libBoundsF32Wgsl, libBoundedWgsl, libDepthwiseTileF32Wgsl, libOrderedWgsl, libSeenWgsl, depthwiseTileObservedF32Wgsl],
  tile: {ROWS: 2, COLUMNS: 4, KERNEL_HEIGHT: 3, KERNEL_WIDTH: 3, STRIDE_HEIGHT: 1, STRIDE_WIDTH: 1, PATCH_HEIGHT: 4, PATCH_WIDTH: 6},
  overrides: {CHANNEL_BOUNDS: "bool", WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 52, fields: {count: {offset: 0, type: "u32"}, rowTiles: {offset: 4, type: "u32"}, columnTiles: {offset: 8, type: "u32"}, outHeight: {offset: 12, type: "u32"}, outWidth: {offset: 16, type: "u32"}, words: {offset: 20, type: "u32"}, inHeight: {offset: 24, type: "u32"}, inWidth: {offset: 28, type: "u32"}, padTop: {offset: 32, type: "u32"}, padLeft: {offset: 36, type: "u32"}, last: {offset: 40, type: "u32"}, low: {offset: 44, type: "f32"}, high: {offset: 48, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    filters: {binding: 2, type: "read-only-storage", element: "vec4f"},
    bias: {binding: 3, type: "read-only-storage", element: "vec4f"},
    out: {binding: 4, type: "storage", element: "vec4f"},
    slot: {binding: 5, type: "storage", element: "atomic<u32>"},
  },
} as const satisfies Shader;

const depthwiseTransposeF32 = {
  label: "depthwise_transpose_f32",
  parts: [libGridWgsl, depthwiseTransposeF32Wgsl],
  tile: {ROWS: 2, COLUMNS: 2, KERNEL_HEIGHT: 3, KERNEL_WIDTH: 3, STRIDE_HEIGHT: 2, STRIDE_WIDTH: 2, REACH_HEIGHT: 2, REACH_WIDTH: 2, PATCH_HEIGHT: 3, PATCH_WIDTH: 3},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 40, fields: {count: {offset: 0, type: "u32"}, rowTiles: {offset: 4, type: "u32"}, columnTiles: {offset: 8, type: "u32"}, height: {offset: 12, type: "u32"}, width: {offset: 16, type: "u32"}, words: {offset: 20, type: "u32"}, outHeight: {offset: 24, type: "u32"}, outWidth: {offset: 28, type: "u32"}, padTop: {offset: 32, type: "u32"}, padLeft: {offset: 36, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    filters: {binding: 2, type: "read-only-storage", element: "vec4f"},
    out: {binding: 3, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const dequantizeI8 = {
  label: "dequantize_i8",
  parts: [libGridWgsl, libDot4Wgsl, dequantizeI8Wgsl],
  tile: {PACKED_DOT: 1},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 12, fields: {count: {offset: 0, type: "u32"}, scale: {offset: 4, type: "f32"}, zeroPoint: {offset: 8, type: "i32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    out: {binding: 2, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const fakeQuantizeF32 = {
  label: "fake_quantize_f32",
  parts: [libGridWgsl, libStepsWgsl, libSlicesWgsl, fakeQuantizeF32Wgsl],
  tile: {},
  overrides: {AXIS: "u32", WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 12, fields: {count: {offset: 0, type: "u32"}, slices: {offset: 4, type: "u32"}, inner: {offset: 8, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    steps: {binding: 2, type: "read-only-storage", element: "vec4f"},
    out: {binding: 3, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const fakeQuantizeGradF32 = {
  label: "fake_quantize_grad_f32",
  parts: [libGridWgsl, libStepsWgsl, libSlicesWgsl, fakeQuantizeGradF32Wgsl],
  tile: {},
  overrides: {AXIS: "u32", WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 12, fields: {count: {offset: 0, type: "u32"}, slices: {offset: 4, type: "u32"}, inner: {offset: 8, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    gradient: {binding: 2, type: "read-only-storage", element: "vec4f"},
    steps: {binding: 3, type: "read-only-storage", element: "vec4f"},
    out: {binding: 4, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const fakeQuantizeLearnF32 = {
  label: "fake_quantize_learn_f32",
  parts: [libFusedRoundWgsl, fakeQuantizeLearnF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32", LAST: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 36, fields: {words: {offset: 0, type: "u32"}, last: {offset: 4, type: "u32"}, inner: {offset: 8, type: "u32"}, outer: {offset: 12, type: "u32"}, stride: {offset: 16, type: "u32"}, slices: {offset: 20, type: "u32"}, parts: {offset: 24, type: "u32"}, qmin: {offset: 28, type: "f32"}, g: {offset: 32, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    gradient: {binding: 2, type: "read-only-storage", element: "vec4f"},
    steps: {binding: 3, type: "read-only-storage", element: "vec4f"},
    outSums: {binding: 4, type: "storage", element: "vec2f"},
    out: {binding: 5, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const fakeQuantizeStepsF32 = {
  label: "fake_quantize_steps_f32",
  parts: [libGridWgsl, libDivideWgsl, fakeQuantizeStepsF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 16, fields: {slices: {offset: 0, type: "u32"}, qmin: {offset: 4, type: "f32"}, qmax: {offset: 8, type: "f32"}, eps: {offset: 12, type: "f32"}}},
    scale: {binding: 1, type: "read-only-storage", element: "f32"},
    zeroPoint: {binding: 2, type: "read-only-storage", element: "f32"},
    out: {binding: 3, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const gather32 = {
  label: "gather_32",
  parts: [libGridWgsl, libGatherWgsl, libRowMajorWgsl, gather32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 64, fields: {count: {offset: 0, type: "u32"}, last: {offset: 4, type: "u32"}, picked: {offset: 8, type: "u32"}, size: {offset: 12, type: "u32"}, inner: {offset: 16, type: "u32"}, dim1: {offset: 20, type: "u32"}, dim2: {offset: 24, type: "u32"}, dim3: {offset: 28, type: "u32"}, dim4: {offset: 32, type: "u32"}, dim5: {offset: 36, type: "u32"}, weight0: {offset: 40, type: "u32"}, weight1: {offset: 44, type: "u32"}, weight2: {offset: 48, type: "u32"}, weight3: {offset: 52, type: "u32"}, weight4: {offset: 56, type: "u32"}, weight5: {offset: 60, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    indices: {binding: 2, type: "read-only-storage", element: "i32"},
    slot: {binding: 3, type: "storage", element: "atomic<i32>"},
    out: {binding: 4, type: "storage", element: "vec4u"},
  },
} as const satisfies Shader;

const gatherChains = {
  label: "gather_chains",
  parts: [libGridWgsl, gatherChainsWgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 8, fields: {size: {offset: 0, type: "u32"}, picked: {offset: 4, type: "u32"}}},
    indices: {binding: 1, type: "read-only-storage", element: "i32"},
    out: {binding: 2, type: "storage", element: "i32"},
  },
} as const satisfies Shader;

const gatherGradF32 = {
  label: "gather_grad_f32",
  parts: [libGridWgsl, libRowMajorWgsl, gatherGradF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 64, fields: {count: {offset: 0, type: "u32"}, last: {offset: 4, type: "u32"}, picked: {offset: 8, type: "u32"}, size: {offset: 12, type: "u32"}, inner: {offset: 16, type: "u32"}, dim1: {offset: 20, type: "u32"}, dim2: {offset: 24, type: "u32"}, dim3: {offset: 28, type: "u32"}, dim4: {offset: 32, type: "u32"}, dim5: {offset: 36, type: "u32"}, weight0: {offset: 40, type: "u32"}, weight1: {offset: 44, type: "u32"}, weight2: {offset: 48, type: "u32"}, weight3: {offset: 52, type: "u32"}, weight4: {offset: 56, type: "u32"}, weight5: {offset: 60, type: "u32"}}},
    gradient: {binding: 1, type: "read-only-storage", element: "f32"},
    chains: {binding: 2, type: "read-only-storage", element: "i32"},
    out: {binding: 3, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const gatherI8 = {
  label: "gather_i8",
  parts: [libGridWgsl, libGatherWgsl, libRowMajorWgsl, libDot4Wgsl, gatherI8Wgsl],
  tile: {PACKED_DOT: 1},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 64, fields: {count: {offset: 0, type: "u32"}, last: {offset: 4, type: "u32"}, picked: {offset: 8, type: "u32"}, size: {offset: 12, type: "u32"}, inner: {offset: 16, type: "u32"}, dim1: {offset: 20, type: "u32"}, dim2: {offset: 24, type: "u32"}, dim3: {offset: 28, type: "u32"}, dim4: {offset: 32, type: "u32"}, dim5: {offset: 36, type: "u32"}, weight0: {offset: 40, type: "u32"}, weight1: {offset: 44, type: "u32"}, weight2: {offset: 48, type: "u32"}, weight3: {offset: 52, type: "u32"}, weight4: {offset: 56, type: "u32"}, weight5: {offset: 60, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    indices: {binding: 2, type: "read-only-storage", element: "i32"},
    slot: {binding: 3, type: "storage", element: "atomic<i32>"},
    out: {binding: 4, type: "storage", element: "u32"},
  },
} as const satisfies Shader;

const gatherWeights = {
  label: "gather_weights",
  parts: [libGridWgsl, libGatherWgsl, libRowMajorWgsl, gatherWeightsWgsl],
  tile: {},
  overrides: {WORKGROUP: "u32", BITS: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 72, fields: {count: {offset: 0, type: "u32"}, last: {offset: 4, type: "u32"}, picked: {offset: 8, type: "u32"}, size: {offset: 12, type: "u32"}, inner: {offset: 16, type: "u32"}, blockSize: {offset: 20, type: "u32"}, blocks: {offset: 24, type: "u32"}, dim1: {offset: 28, type: "u32"}, dim2: {offset: 32, type: "u32"}, dim3: {offset: 36, type: "u32"}, dim4: {offset: 40, type: "u32"}, dim5: {offset: 44, type: "u32"}, weight0: {offset: 48, type: "u32"}, weight1: {offset: 52, type: "u32"}, weight2: {offset: 56, type: "u32"}, weight3: {offset: 60, type: "u32"}, weight4: {offset: 64, type: "u32"}, weight5: {offset: 68, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    scales: {binding: 2, type: "read-only-storage", element: "vec2f"},
    indices: {binding: 3, type: "read-only-storage", element: "i32"},
    slot: {binding: 4, type: "storage", element: "atomic<i32>"},
    out: {binding: 5, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const gemvDynamicI8 = {
  label: "gemv_dynamic_i8",
  parts: [libWindowWgsl, libTapsWgsl, libDot4Wgsl, libRequantizeWgsl, libStoreRealWgsl, libGemvI8Wgsl, gemvDynamicI8Wgsl],
  tile: {LANES: 64, COLUMNS: 1, PIXELS: 4, PACKED_DOT: 1},
  overrides: {PER_ROW: "bool", WIDE: "bool", CHUNKED: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 84, fields: {pixels: {offset: 0, type: "u32"}, outHeight: {offset: 4, type: "u32"}, outWidth: {offset: 8, type: "u32"}, outWords: {offset: 12, type: "u32"}, inHeight: {offset: 16, type: "u32"}, inWidth: {offset: 20, type: "u32"}, inWords: {offset: 24, type: "u32"}, groupWords: {offset: 28, type: "u32"}, groupOuts: {offset: 32, type: "u32"}, kernelHeight: {offset: 36, type: "u32"}, kernelWidth: {offset: 40, type: "u32"}, strideHeight: {offset: 44, type: "u32"}, strideWidth: {offset: 48, type: "u32"}, dilationHeight: {offset: 52, type: "u32"}, dilationWidth: {offset: 56, type: "u32"}, padTop: {offset: 60, type: "u32"}, padLeft: {offset: 64, type: "u32"}, tilesWide: {offset: 68, type: "u32"}, padWord: {offset: 72, type: "u32"}, low: {offset: 76, type: "f32"}, high: {offset: 80, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    filters: {binding: 2, type: "read-only-storage", element: "vec4u"},
    sums: {binding: 3, type: "read-only-storage", element: "vec4i"},
    factors: {binding: 4, type: "read-only-storage", element: "vec4f"},
    scale: {binding: 5, type: "read-only-storage", element: "vec4f"},
    zeroPoint: {binding: 6, type: "read-only-storage", element: "u32"},
    out: {binding: 7, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const gemvF32 = {
  label: "gemv_f32",
  parts: [libWindowWgsl, libTapsWgsl, libBoundsF32Wgsl, libBoundedWgsl, libStoreF32Wgsl, gemvF32Wgsl],
  tile: {LANES: 64, COLUMNS: 1, PIXELS: 4},
  overrides: {CHANNEL_BOUNDS: "bool", RESIDUAL: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 84, fields: {pixels: {offset: 0, type: "u32"}, outHeight: {offset: 4, type: "u32"}, outWidth: {offset: 8, type: "u32"}, outWords: {offset: 12, type: "u32"}, inHeight: {offset: 16, type: "u32"}, inWidth: {offset: 20, type: "u32"}, inWords: {offset: 24, type: "u32"}, groupWords: {offset: 28, type: "u32"}, groupOuts: {offset: 32, type: "u32"}, kernelHeight: {offset: 36, type: "u32"}, kernelWidth: {offset: 40, type: "u32"}, strideHeight: {offset: 44, type: "u32"}, strideWidth: {offset: 48, type: "u32"}, dilationHeight: {offset: 52, type: "u32"}, dilationWidth: {offset: 56, type: "u32"}, padTop: {offset: 60, type: "u32"}, padLeft: {offset: 64, type: "u32"}, last: {offset: 68, type: "u32"}, tilesWide: {offset: 72, type: "u32"}, low: {offset: 76, type: "f32"}, high: {offset: 80, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    filters: {binding: 2, type: "read-only-storage", element: "mat4x4f"},
    bias: {binding: 3, type: "read-only-storage", element: "vec4f"},
    residual: {binding: 4, type: "read-only-storage", element: "vec4f"},
    out: {binding: 5, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const gemvI8 = {
  label: "gemv_i8",
  parts: [libWindowWgsl, libTapsWgsl, libDot4Wgsl, libRequantizeWgsl, libRealSumWgsl, libBoundsI8Wgsl, libResidualWgsl, libResidualNowWgsl, libStoreI8Wgsl, libGemvI8Wgsl, gemvI8Wgsl],
  tile: {LANES: 64, COLUMNS: 1, PIXELS: 4, PACKED_DOT: 1},
  overrides: {FLOAT_BIAS: "bool", CHANNEL_BOUNDS: "bool", RESIDUAL: "bool", WIDE: "bool", CHUNKED: "bool", OFFSETS: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 116, fields: {pixels: {offset: 0, type: "u32"}, outHeight: {offset: 4, type: "u32"}, outWidth: {offset: 8, type: "u32"}, outWords: {offset: 12, type: "u32"}, inHeight: {offset: 16, type: "u32"}, inWidth: {offset: 20, type: "u32"}, inWords: {offset: 24, type: "u32"}, groupWords: {offset: 28, type: "u32"}, groupOuts: {offset: 32, type: "u32"}, kernelHeight: {offset: 36, type: "u32"}, kernelWidth: {offset: 40, type: "u32"}, strideHeight: {offset: 44, type: "u32"}, strideWidth: {offset: 48, type: "u32"}, dilationHeight: {offset: 52, type: "u32"}, dilationWidth: {offset: 56, type: "u32"}, padTop: {offset: 60, type: "u32"}, padLeft: {offset: 64, type: "u32"}, tilesWide: {offset: 68, type: "u32"}, padWord: {offset: 72, type: "u32"}, zeroPoint: {offset: 76, type: "i32"}, low: {offset: 80, type: "i32"}, high: {offset: 84, type: "i32"}, sumMultiplier: {offset: 88, type: "i32"}, residualMultiplier: {offset: 92, type: "i32"}, residualZero: {offset: 96, type: "i32"}, shift: {offset: 100, type: "u32"}, outZero: {offset: 104, type: "i32"}, outLow: {offset: 108, type: "i32"}, outHigh: {offset: 112, type: "i32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    filters: {binding: 2, type: "read-only-storage", element: "vec4u"},
    bias: {binding: 3, type: "read-only-storage", element: "vec4i"},
    multiplier: {binding: 4, type: "read-only-storage", element: "vec4f"},
    residual: {binding: 5, type: "read-only-storage", element: "u32"},
    out: {binding: 6, type: "storage", element: "u32"},
  },
} as const satisfies Shader;

const gemvWeights = {
  label: "gemv_weights",
  parts: [libWeightsWgsl, libBoundedWgsl, gemvWeightsWgsl],
  tile: {LANES: 64, COLUMNS: 1, ROWS: 4},
  overrides: {BITS: "u32", ZEROS: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 36, fields: {rows: {offset: 0, type: "u32"}, outWords: {offset: 4, type: "u32"}, last: {offset: 8, type: "u32"}, inWords: {offset: 12, type: "u32"}, steps: {offset: 16, type: "u32"}, blocks: {offset: 20, type: "u32"}, blockSteps: {offset: 24, type: "u32"}, low: {offset: 28, type: "f32"}, high: {offset: 32, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    weights: {binding: 2, type: "read-only-storage", element: "vec4u"},
    scales: {binding: 3, type: "read-only-storage", element: "vec4f"},
    bias: {binding: 4, type: "read-only-storage", element: "vec4f"},
    out: {binding: 5, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const groupedGradFilterF32 = {
  label: "grouped_grad_filter_f32",
  parts: [libGridWgsl, libPixelsWgsl, groupedGradFilterF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 84, fields: {count: {offset: 0, type: "u32"}, size: {offset: 4, type: "u32"}, slice: {offset: 8, type: "u32"}, pixels: {offset: 12, type: "u32"}, outHeight: {offset: 16, type: "u32"}, outWidth: {offset: 20, type: "u32"}, outs: {offset: 24, type: "u32"}, inHeight: {offset: 28, type: "u32"}, inWidth: {offset: 32, type: "u32"}, inWords: {offset: 36, type: "u32"}, perGroup: {offset: 40, type: "u32"}, groupWords: {offset: 44, type: "u32"}, outsPerGroup: {offset: 48, type: "u32"}, taps: {offset: 52, type: "u32"}, kernelWidth: {offset: 56, type: "u32"}, strideHeight: {offset: 60, type: "u32"}, strideWidth: {offset: 64, type: "u32"}, dilationHeight: {offset: 68, type: "u32"}, dilationWidth: {offset: 72, type: "u32"}, padTop: {offset: 76, type: "u32"}, padLeft: {offset: 80, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "f32"},
    gradient: {binding: 2, type: "read-only-storage", element: "f32"},
    out: {binding: 3, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const gruDynamicI8 = {
  label: "gru_dynamic_i8",
  parts: [libDot4Wgsl, libDivideWgsl, libDoubleWgsl, libChooseTorchWgsl, libDynamicWgsl, libRequantizeWgsl, libRecurrentWgsl, libRecurrentI8Wgsl, gruDynamicI8Wgsl],
  tile: {PACKED_DOT: 1},
  overrides: {TORCH: "bool", WORKGROUP: "u32", ROOM: "u32", ANY: "u32", WIDE: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 156, fields: {first: {offset: 0, type: "u32"}, steps: {offset: 4, type: "u32"}, time: {offset: 8, type: "u32"}, batch: {offset: 12, type: "u32"}, units: {offset: 16, type: "u32"}, words: {offset: 20, type: "u32"}, slices: {offset: 24, type: "u32"}, direction: {offset: 28, type: "u32"}, reverse: {offset: 32, type: "u32"}, lengthStride: {offset: 36, type: "u32"}, rowTime: {offset: 40, type: "u32"}, rowBatch: {offset: 44, type: "u32"}, rowDirection: {offset: 48, type: "u32"}, outTime: {offset: 52, type: "u32"}, outBatch: {offset: 56, type: "u32"}, outDirection: {offset: 60, type: "u32"}, hBatch: {offset: 64, type: "u32"}, hDirection: {offset: 68, type: "u32"}, cBatch: {offset: 72, type: "u32"}, cDirection: {offset: 76, type: "u32"}, toBatch: {offset: 80, type: "u32"}, toDirection: {offset: 84, type: "u32"}, extras: {offset: 88, type: "u32"}, writes: {offset: 92, type: "u32"}, span: {offset: 96, type: "u32"}, levels: {offset: 100, type: "u32"}, qmin: {offset: 104, type: "i32"}, clip: {offset: 108, type: "f32"}, peepholes: {offset: 112, type: "u32"}, inputForget: {offset: 116, type: "u32"}, f: {offset: 120, type: "u32"}, g: {offset: 124, type: "u32"}, h: {offset: 128, type: "u32"}, fAlpha: {offset: 132, type: "f32"}, fBeta: {offset: 136, type: "f32"}, gAlpha: {offset: 140, type: "f32"}, gBeta: {offset: 144, type: "f32"}, hAlpha: {offset: 148, type: "f32"}, hBeta: {offset: 152, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    weights: {binding: 2, type: "read-only-storage", element: "vec4u"},
    lengths: {binding: 3, type: "read-only-storage", element: "i32"},
    hFrom: {binding: 4, type: "read-only-storage", element: "vec4f"},
    hOut: {binding: 5, type: "storage", element: "vec4f"},
    out: {binding: 6, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const gruF32 = {
  label: "gru_f32",
  parts: [libRecurrentWgsl, gruF32Wgsl],
  tile: {BATCH: 1},
  overrides: {WORKGROUP: "u32", ROOM: "u32", ANY: "u32", LINEAR_BEFORE_RESET: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 156, fields: {first: {offset: 0, type: "u32"}, steps: {offset: 4, type: "u32"}, time: {offset: 8, type: "u32"}, batch: {offset: 12, type: "u32"}, units: {offset: 16, type: "u32"}, words: {offset: 20, type: "u32"}, slices: {offset: 24, type: "u32"}, direction: {offset: 28, type: "u32"}, reverse: {offset: 32, type: "u32"}, lengthStride: {offset: 36, type: "u32"}, rowTime: {offset: 40, type: "u32"}, rowBatch: {offset: 44, type: "u32"}, rowDirection: {offset: 48, type: "u32"}, outTime: {offset: 52, type: "u32"}, outBatch: {offset: 56, type: "u32"}, outDirection: {offset: 60, type: "u32"}, hBatch: {offset: 64, type: "u32"}, hDirection: {offset: 68, type: "u32"}, cBatch: {offset: 72, type: "u32"}, cDirection: {offset: 76, type: "u32"}, toBatch: {offset: 80, type: "u32"}, toDirection: {offset: 84, type: "u32"}, extras: {offset: 88, type: "u32"}, writes: {offset: 92, type: "u32"}, span: {offset: 96, type: "u32"}, levels: {offset: 100, type: "u32"}, qmin: {offset: 104, type: "i32"}, clip: {offset: 108, type: "f32"}, peepholes: {offset: 112, type: "u32"}, inputForget: {offset: 116, type: "u32"}, f: {offset: 120, type: "u32"}, g: {offset: 124, type: "u32"}, h: {offset: 128, type: "u32"}, fAlpha: {offset: 132, type: "f32"}, fBeta: {offset: 136, type: "f32"}, gAlpha: {offset: 140, type: "f32"}, gBeta: {offset: 144, type: "f32"}, hAlpha: {offset: 148, type: "f32"}, hBeta: {offset: 152, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    weights: {binding: 2, type: "read-only-storage", element: "mat4x4f"},
    lengths: {binding: 3, type: "read-only-storage", element: "i32"},
    hFrom: {binding: 4, type: "read-only-storage", element: "vec4f"},
    hOut: {binding: 5, type: "storage", element: "vec4f"},
    out: {binding: 6, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const gruGradF32 = {
  label: "gru_grad_f32",
  parts: [libRecurrentGradWgsl, gruGradF32Wgsl],
  tile: {BATCH: 1},
  overrides: {WORKGROUP: "u32", ROOM: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 36, fields: {first: {offset: 0, type: "u32"}, steps: {offset: 4, type: "u32"}, begins: {offset: 8, type: "u32"}, time: {offset: 12, type: "u32"}, batch: {offset: 16, type: "u32"}, units: {offset: 20, type: "u32"}, words: {offset: 24, type: "u32"}, reverse: {offset: 28, type: "u32"}, lengthStride: {offset: 32, type: "u32"}}},
    sums: {binding: 1, type: "read-only-storage", element: "vec4f"},
    weights: {binding: 2, type: "read-only-storage", element: "vec4f"},
    hBefore: {binding: 3, type: "read-only-storage", element: "vec4f"},
    gradient: {binding: 4, type: "read-only-storage", element: "vec4f"},
    lengths: {binding: 5, type: "read-only-storage", element: "i32"},
    lastState: {binding: 6, type: "read-only-storage", element: "vec4f"},
    hOut: {binding: 7, type: "storage", element: "vec4f"},
    out: {binding: 8, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const guardStepF32 = {
  label: "guard_step_f32",
  parts: [guardStepF32Wgsl],
  tile: {},
  overrides: {},
  bindings: {
    params: {binding: 0, type: "uniform", size: 4, fields: {limit: {offset: 0, type: "u32"}}},
    hyper: {binding: 1, type: "read-only-storage", element: "vec4f"},
    loss: {binding: 2, type: "read-only-storage", element: "vec4u"},
    out: {binding: 3, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const joinDynamicI8 = {
  label: "join_dynamic_i8",
  parts: [libGridWgsl, libDot4Wgsl, libRequantizeWgsl, libStoreRealWgsl, libJoinWgsl, joinDynamicI8Wgsl],
  tile: {PACKED_DOT: 1},
  overrides: {PER_ROW: "bool", WIDE: "bool", CHUNKED: "bool", WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 20, fields: {count: {offset: 0, type: "u32"}, parts: {offset: 4, type: "u32"}, outWords: {offset: 8, type: "u32"}, low: {offset: 12, type: "f32"}, high: {offset: 16, type: "f32"}}},
    parts: {binding: 1, type: "read-only-storage", element: "vec4i"},
    sums: {binding: 2, type: "read-only-storage", element: "vec4i"},
    factors: {binding: 3, type: "read-only-storage", element: "vec4f"},
    scale: {binding: 4, type: "read-only-storage", element: "vec4f"},
    zeroPoint: {binding: 5, type: "read-only-storage", element: "u32"},
    out: {binding: 6, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const joinI8 = {
  label: "join_i8",
  parts: [libGridWgsl, libDot4Wgsl, libRequantizeWgsl, libRealSumWgsl, libBoundsI8Wgsl, libResidualWgsl, libResidualNowWgsl, libStoreI8Wgsl, libJoinWgsl, joinI8Wgsl],
  tile: {PACKED_DOT: 1},
  overrides: {FLOAT_BIAS: "bool", CHANNEL_BOUNDS: "bool", RESIDUAL: "bool", WIDE: "bool", CHUNKED: "bool", OFFSETS: "bool", WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 56, fields: {count: {offset: 0, type: "u32"}, parts: {offset: 4, type: "u32"}, outWords: {offset: 8, type: "u32"}, groupOuts: {offset: 12, type: "u32"}, zeroPoint: {offset: 16, type: "i32"}, low: {offset: 20, type: "i32"}, high: {offset: 24, type: "i32"}, sumMultiplier: {offset: 28, type: "i32"}, residualMultiplier: {offset: 32, type: "i32"}, residualZero: {offset: 36, type: "i32"}, shift: {offset: 40, type: "u32"}, outZero: {offset: 44, type: "i32"}, outLow: {offset: 48, type: "i32"}, outHigh: {offset: 52, type: "i32"}}},
    parts: {binding: 1, type: "read-only-storage", element: "vec4i"},
    bias: {binding: 2, type: "read-only-storage", element: "vec4i"},
    multiplier: {binding: 3, type: "read-only-storage", element: "vec4f"},
    residual: {binding: 4, type: "read-only-storage", element: "u32"},
    out: {binding: 5, type: "storage", element: "u32"},
  },
} as const satisfies Shader;

const layerNormF32 = {
  label: "layer_norm_f32",
  parts: [libLayerNormWgsl, layerNormF32Wgsl],
  tile: {},
  overrides: {RANGE: "bool", WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 20, fields: {count: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}, last: {offset: 8, type: "u32"}, share: {offset: 12, type: "f32"}, epsilon: {offset: 16, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    scale: {binding: 2, type: "read-only-storage", element: "vec4f"},
    bias: {binding: 3, type: "read-only-storage", element: "vec4f"},
    outRange: {binding: 4, type: "storage", element: "vec2f"},
    out: {binding: 5, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const layerNormRowsF32 = {
  label: "layer_norm_rows_f32",
  parts: [libGridWgsl, libLayerNormWgsl, layerNormRowsF32Wgsl],
  tile: {},
  overrides: {RANGE: "bool", WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 20, fields: {count: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}, last: {offset: 8, type: "u32"}, share: {offset: 12, type: "f32"}, epsilon: {offset: 16, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    scale: {binding: 2, type: "read-only-storage", element: "vec4f"},
    bias: {binding: 3, type: "read-only-storage", element: "vec4f"},
    outRange: {binding: 4, type: "storage", element: "vec2f"},
    out: {binding: 5, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const lookupI8 = {
  label: "lookup_i8",
  parts: [libGridWgsl, libDot4Wgsl, lookupI8Wgsl],
  tile: {PACKED_DOT: 1},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 4, fields: {count: {offset: 0, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    table: {binding: 2, type: "read-only-storage", element: "i32"},
    out: {binding: 3, type: "storage", element: "u32"},
  },
} as const satisfies Shader;

const lstmDynamicI8 = {
  label: "lstm_dynamic_i8",
  parts: [libDot4Wgsl, libDivideWgsl, libDoubleWgsl, libChooseTorchWgsl, libDynamicWgsl, libRequantizeWgsl, libRecurrentWgsl, libRecurrentI8Wgsl, lstmDynamicI8Wgsl],
  tile: {PACKED_DOT: 1},
  overrides: {TORCH: "bool", WORKGROUP: "u32", ROOM: "u32", ANY: "u32", WIDE: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 156, fields: {first: {offset: 0, type: "u32"}, steps: {offset: 4, type: "u32"}, time: {offset: 8, type: "u32"}, batch: {offset: 12, type: "u32"}, units: {offset: 16, type: "u32"}, words: {offset: 20, type: "u32"}, slices: {offset: 24, type: "u32"}, direction: {offset: 28, type: "u32"}, reverse: {offset: 32, type: "u32"}, lengthStride: {offset: 36, type: "u32"}, rowTime: {offset: 40, type: "u32"}, rowBatch: {offset: 44, type: "u32"}, rowDirection: {offset: 48, type: "u32"}, outTime: {offset: 52, type: "u32"}, outBatch: {offset: 56, type: "u32"}, outDirection: {offset: 60, type: "u32"}, hBatch: {offset: 64, type: "u32"}, hDirection: {offset: 68, type: "u32"}, cBatch: {offset: 72, type: "u32"}, cDirection: {offset: 76, type: "u32"}, toBatch: {offset: 80, type: "u32"}, toDirection: {offset: 84, type: "u32"}, extras: {offset: 88, type: "u32"}, writes: {offset: 92, type: "u32"}, span: {offset: 96, type: "u32"}, levels: {offset: 100, type: "u32"}, qmin: {offset: 104, type: "i32"}, clip: {offset: 108, type: "f32"}, peepholes: {offset: 112, type: "u32"}, inputForget: {offset: 116, type: "u32"}, f: {offset: 120, type: "u32"}, g: {offset: 124, type: "u32"}, h: {offset: 128, type: "u32"}, fAlpha: {offset: 132, type: "f32"}, fBeta: {offset: 136, type: "f32"}, gAlpha: {offset: 140, type: "f32"}, gBeta: {offset: 144, type: "f32"}, hAlpha: {offset: 148, type: "f32"}, hBeta: {offset: 152, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    weights: {binding: 2, type: "read-only-storage", element: "vec4u"},
    lengths: {binding: 3, type: "read-only-storage", element: "i32"},
    hFrom: {binding: 4, type: "read-only-storage", element: "vec4f"},
    cFrom: {binding: 5, type: "read-only-storage", element: "vec4f"},
    hOut: {binding: 6, type: "storage", element: "vec4f"},
    cOut: {binding: 7, type: "storage", element: "vec4f"},
    out: {binding: 8, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const lstmF32 = {
  label: "lstm_f32",
  parts: [libRecurrentWgsl, lstmF32Wgsl],
  tile: {BATCH: 1},
  overrides: {WORKGROUP: "u32", ROOM: "u32", ANY: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 156, fields: {first: {offset: 0, type: "u32"}, steps: {offset: 4, type: "u32"}, time: {offset: 8, type: "u32"}, batch: {offset: 12, type: "u32"}, units: {offset: 16, type: "u32"}, words: {offset: 20, type: "u32"}, slices: {offset: 24, type: "u32"}, direction: {offset: 28, type: "u32"}, reverse: {offset: 32, type: "u32"}, lengthStride: {offset: 36, type: "u32"}, rowTime: {offset: 40, type: "u32"}, rowBatch: {offset: 44, type: "u32"}, rowDirection: {offset: 48, type: "u32"}, outTime: {offset: 52, type: "u32"}, outBatch: {offset: 56, type: "u32"}, outDirection: {offset: 60, type: "u32"}, hBatch: {offset: 64, type: "u32"}, hDirection: {offset: 68, type: "u32"}, cBatch: {offset: 72, type: "u32"}, cDirection: {offset: 76, type: "u32"}, toBatch: {offset: 80, type: "u32"}, toDirection: {offset: 84, type: "u32"}, extras: {offset: 88, type: "u32"}, writes: {offset: 92, type: "u32"}, span: {offset: 96, type: "u32"}, levels: {offset: 100, type: "u32"}, qmin: {offset: 104, type: "i32"}, clip: {offset: 108, type: "f32"}, peepholes: {offset: 112, type: "u32"}, inputForget: {offset: 116, type: "u32"}, f: {offset: 120, type: "u32"}, g: {offset: 124, type: "u32"}, h: {offset: 128, type: "u32"}, fAlpha: {offset: 132, type: "f32"}, fBeta: {offset: 136, type: "f32"}, gAlpha: {offset: 140, type: "f32"}, gBeta: {offset: 144, type: "f32"}, hAlpha: {offset: 148, type: "f32"}, hBeta: {offset: 152, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    weights: {binding: 2, type: "read-only-storage", element: "mat4x4f"},
    lengths: {binding: 3, type: "read-only-storage", element: "i32"},
    hFrom: {binding: 4, type: "read-only-storage", element: "vec4f"},
    cFrom: {binding: 5, type: "read-only-storage", element: "vec4f"},
    hOut: {binding: 6, type: "storage", element: "vec4f"},
    cOut: {binding: 7, type: "storage", element: "vec4f"},
    out: {binding: 8, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const lstmGradF32 = {
  label: "lstm_grad_f32",
  parts: [libRecurrentGradWgsl, lstmGradF32Wgsl],
  tile: {BATCH: 1},
  overrides: {WORKGROUP: "u32", ROOM: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 36, fields: {first: {offset: 0, type: "u32"}, steps: {offset: 4, type: "u32"}, begins: {offset: 8, type: "u32"}, time: {offset: 12, type: "u32"}, batch: {offset: 16, type: "u32"}, units: {offset: 20, type: "u32"}, words: {offset: 24, type: "u32"}, reverse: {offset: 28, type: "u32"}, lengthStride: {offset: 32, type: "u32"}}},
    sums: {binding: 1, type: "read-only-storage", element: "vec4f"},
    weights: {binding: 2, type: "read-only-storage", element: "vec4f"},
    cells: {binding: 3, type: "read-only-storage", element: "vec4f"},
    gradient: {binding: 4, type: "read-only-storage", element: "vec4f"},
    lengths: {binding: 5, type: "read-only-storage", element: "i32"},
    lastState: {binding: 6, type: "read-only-storage", element: "vec4f"},
    hOut: {binding: 7, type: "storage", element: "vec4f"},
    out: {binding: 8, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const matmulF32 = {
  label: "matmul_f32",
  parts: [libGridWgsl, matmulF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 112, fields: {count: {offset: 0, type: "u32"}, m: {offset: 4, type: "u32"}, n: {offset: 8, type: "u32"}, nPadded: {offset: 12, type: "u32"}, k: {offset: 16, type: "u32"}, batch1: {offset: 20, type: "u32"}, batch2: {offset: 24, type: "u32"}, leftBatch0: {offset: 28, type: "u32"}, leftBatch1: {offset: 32, type: "u32"}, leftBatch2: {offset: 36, type: "u32"}, leftM: {offset: 40, type: "u32"}, leftK: {offset: 44, type: "u32"}, rightBatch0: {offset: 48, type: "u32"}, rightBatch1: {offset: 52, type: "u32"}, rightBatch2: {offset: 56, type: "u32"}, rightK: {offset: 60, type: "u32"}, rightN: {offset: 64, type: "u32"}, outBatch0: {offset: 68, type: "u32"}, outBatch1: {offset: 72, type: "u32"}, outBatch2: {offset: 76, type: "u32"}, outM: {offset: 80, type: "u32"}, outN: {offset: 84, type: "u32"}, leftBase: {offset: 88, type: "u32"}, rightBase: {offset: 92, type: "u32"}, outBase: {offset: 96, type: "u32"}, alpha: {offset: 100, type: "f32"}, low: {offset: 104, type: "f32"}, high: {offset: 108, type: "f32"}}},
    left: {binding: 1, type: "read-only-storage", element: "f32"},
    right: {binding: 2, type: "read-only-storage", element: "f32"},
    out: {binding: 3, type: "storage", element: "f32"},
  },
} as const satisfies Shader;

const matmulQuadWeights = {
  label: "matmul_quad_weights",
  parts: [libGridWgsl, libWeightsWgsl, libBoundedWgsl, matmulQuadWeightsWgsl],
  tile: {QUARTER: 4, WORDS: 1, FOUR: 4},
  overrides: {BITS: "u32", ZEROS: "bool", WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 36, fields: {rows: {offset: 0, type: "u32"}, outWords: {offset: 4, type: "u32"}, last: {offset: 8, type: "u32"}, inWords: {offset: 12, type: "u32"}, steps: {offset: 16, type: "u32"}, blocks: {offset: 20, type: "u32"}, blockSteps: {offset: 24, type: "u32"}, low: {offset: 28, type: "f32"}, high: {offset: 32, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    weights: {binding: 2, type: "read-only-storage", element: "vec4u"},
    scales: {binding: 3, type: "read-only-storage", element: "vec4f"},
    bias: {binding: 4, type: "read-only-storage", element: "vec4f"},
    out: {binding: 5, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const matmulTiledWeights = {
  label: "matmul_tiled_weights",
  parts: [libWeightsWgsl, libBoundedWgsl, matmulTiledWeightsWgsl],
  tile: {DOWN: 8, ACROSS: 8, ROWS: 4, WORDS: 2, CHUNK: 4, X_LOADS: 2, W_LOADS: 4},
  overrides: {BITS: "u32", ZEROS: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 36, fields: {rows: {offset: 0, type: "u32"}, outWords: {offset: 4, type: "u32"}, last: {offset: 8, type: "u32"}, inWords: {offset: 12, type: "u32"}, steps: {offset: 16, type: "u32"}, blocks: {offset: 20, type: "u32"}, blockSteps: {offset: 24, type: "u32"}, low: {offset: 28, type: "f32"}, high: {offset: 32, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    weights: {binding: 2, type: "read-only-storage", element: "vec4u"},
    scales: {binding: 3, type: "read-only-storage", element: "vec4f"},
    bias: {binding: 4, type: "read-only-storage", element: "vec4f"},
    out: {binding: 5, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const matmulWeights = {
  label: "matmul_weights",
  parts: [libGridWgsl, libWeightsWgsl, libBoundedWgsl, matmulWeightsWgsl],
  tile: {ROWS: 8, WORDS: 2},
  overrides: {BITS: "u32", ZEROS: "bool", WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 36, fields: {rows: {offset: 0, type: "u32"}, outWords: {offset: 4, type: "u32"}, last: {offset: 8, type: "u32"}, inWords: {offset: 12, type: "u32"}, steps: {offset: 16, type: "u32"}, blocks: {offset: 20, type: "u32"}, blockSteps: {offset: 24, type: "u32"}, low: {offset: 28, type: "f32"}, high: {offset: 32, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    weights: {binding: 2, type: "read-only-storage", element: "vec4u"},
    scales: {binding: 3, type: "read-only-storage", element: "vec4f"},
    bias: {binding: 4, type: "read-only-storage", element: "vec4f"},
    out: {binding: 5, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const maxPoolGradF32 = {
  label: "max_pool_grad_f32",
  parts: [libGridWgsl, libCoveringWgsl, maxPoolGradF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 56, fields: {count: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}, inHeight: {offset: 8, type: "u32"}, inWidth: {offset: 12, type: "u32"}, outHeight: {offset: 16, type: "u32"}, outWidth: {offset: 20, type: "u32"}, kernelHeight: {offset: 24, type: "u32"}, kernelWidth: {offset: 28, type: "u32"}, strideHeight: {offset: 32, type: "u32"}, strideWidth: {offset: 36, type: "u32"}, dilationHeight: {offset: 40, type: "u32"}, dilationWidth: {offset: 44, type: "u32"}, padTop: {offset: 48, type: "u32"}, padLeft: {offset: 52, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    y: {binding: 2, type: "read-only-storage", element: "vec4f"},
    gradient: {binding: 3, type: "read-only-storage", element: "vec4f"},
    out: {binding: 4, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const narrowI8 = {
  label: "narrow_i8",
  parts: [libGridWgsl, libDot4Wgsl, narrowI8Wgsl],
  tile: {PACKED_DOT: 1},
  overrides: {WORKGROUP: "u32", SATURATE: "bool", SIGNED: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 4, fields: {count: {offset: 0, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4i"},
    out: {binding: 2, type: "storage", element: "u32"},
  },
} as const satisfies Shader;

const observeAverageF32 = {
  label: "observe_average_f32",
  parts: [libDivideWgsl, libDoubleWgsl, libChooseTorchWgsl, libRangeParamsWgsl, observeAverageF32Wgsl],
  tile: {},
  overrides: {SYMMETRIC: "bool", FUSED: "bool", WORKGROUP: "u32", LAST: "bool", PARTS: "bool", AVERAGE: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 52, fields: {words: {offset: 0, type: "u32"}, last: {offset: 4, type: "u32"}, inner: {offset: 8, type: "u32"}, outer: {offset: 12, type: "u32"}, stride: {offset: 16, type: "u32"}, slices: {offset: 20, type: "u32"}, greatest: {offset: 24, type: "u32"}, opaque: {offset: 28, type: "u32"}, constant: {offset: 32, type: "f32"}, qmin: {offset: 36, type: "f32"}, qmax: {offset: 40, type: "f32"}, eps: {offset: 44, type: "f32"}, zeroPoint: {offset: 48, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    outRange: {binding: 2, type: "storage", element: "u32"},
    outScale: {binding: 3, type: "storage", element: "f32"},
    outZero: {binding: 4, type: "storage", element: "f32"},
    out: {binding: 5, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const observeChannelsF32 = {
  label: "observe_channels_f32",
  parts: [libOrderedWgsl, observeChannelsF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 8, fields: {rows: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4u"},
    slot: {binding: 2, type: "storage", element: "atomic<u32>"},
  },
} as const satisfies Shader;

const observeHistogramF32 = {
  label: "observe_histogram_f32",
  parts: [libObservedWgsl, libOrderedWgsl, libBinsWgsl, observeHistogramF32Wgsl],
  tile: {},
  overrides: {PADDED: "bool", BINS: "u32", WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 12, fields: {count: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}, last: {offset: 8, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    slot: {binding: 2, type: "storage", element: "atomic<u32>"},
  },
} as const satisfies Shader;

const observeHistogramPrivateF32 = {
  label: "observe_histogram_private_f32",
  parts: [libObservedWgsl, libOrderedWgsl, libBinsWgsl, observeHistogramPrivateF32Wgsl],
  tile: {PAIRS: 1024},
  overrides: {PADDED: "bool", BINS: "u32", WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 12, fields: {count: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}, last: {offset: 8, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    slot: {binding: 2, type: "storage", element: "atomic<u32>"},
  },
} as const satisfies Shader;

const observeMinmaxF32 = {
  label: "observe_minmax_f32",
  parts: [libObservedWgsl, libOrderedWgsl, libSeenWgsl, observeMinmaxF32Wgsl],
  tile: {},
  overrides: {PADDED: "bool", WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 12, fields: {count: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}, last: {offset: 8, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    slot: {binding: 2, type: "storage", element: "atomic<u32>"},
  },
} as const satisfies Shader;

const packFilterF32 = {
  label: "pack_filter_f32",
  parts: [libGridWgsl, packFilterF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32", BY_OUTPUT: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 76, fields: {count: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}, groupTiles: {offset: 8, type: "u32"}, steps: {offset: 12, type: "u32"}, lanes: {offset: 16, type: "u32"}, inWords: {offset: 20, type: "u32"}, taps: {offset: 24, type: "u32"}, kernelWidth: {offset: 28, type: "u32"}, groupOuts: {offset: 32, type: "u32"}, outsPerGroup: {offset: 36, type: "u32"}, perGroup: {offset: 40, type: "u32"}, jump: {offset: 44, type: "u32"}, groupStride: {offset: 48, type: "i32"}, outStride: {offset: 52, type: "i32"}, inStride: {offset: 56, type: "i32"}, rowStride: {offset: 60, type: "i32"}, columnStride: {offset: 64, type: "i32"}, base: {offset: 68, type: "i32"}, alpha: {offset: 72, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "f32"},
    out: {binding: 2, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const poolF32 = {
  label: "pool_f32",
  parts: [libGridWgsl, poolF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32", MAX: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 72, fields: {count: {offset: 0, type: "u32"}, outHeight: {offset: 4, type: "u32"}, outWidth: {offset: 8, type: "u32"}, words: {offset: 12, type: "u32"}, inHeight: {offset: 16, type: "u32"}, inWidth: {offset: 20, type: "u32"}, kernelHeight: {offset: 24, type: "u32"}, kernelWidth: {offset: 28, type: "u32"}, strideHeight: {offset: 32, type: "u32"}, strideWidth: {offset: 36, type: "u32"}, dilationHeight: {offset: 40, type: "u32"}, dilationWidth: {offset: 44, type: "u32"}, padTop: {offset: 48, type: "u32"}, padLeft: {offset: 52, type: "u32"}, padBottomEnd: {offset: 56, type: "u32"}, padRightEnd: {offset: 60, type: "u32"}, countPad: {offset: 64, type: "u32"}, last: {offset: 68, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    out: {binding: 2, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const poolI8 = {
  label: "pool_i8",
  parts: [libGridWgsl, libDot4Wgsl, libRequantizeWgsl, poolI8Wgsl],
  tile: {PACKED_DOT: 1},
  overrides: {WORKGROUP: "u32", MAX: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 84, fields: {count: {offset: 0, type: "u32"}, outHeight: {offset: 4, type: "u32"}, outWidth: {offset: 8, type: "u32"}, words: {offset: 12, type: "u32"}, inHeight: {offset: 16, type: "u32"}, inWidth: {offset: 20, type: "u32"}, kernelHeight: {offset: 24, type: "u32"}, kernelWidth: {offset: 28, type: "u32"}, strideHeight: {offset: 32, type: "u32"}, strideWidth: {offset: 36, type: "u32"}, dilationHeight: {offset: 40, type: "u32"}, dilationWidth: {offset: 44, type: "u32"}, padTop: {offset: 48, type: "u32"}, padLeft: {offset: 52, type: "u32"}, padBottomEnd: {offset: 56, type: "u32"}, padRightEnd: {offset: 60, type: "u32"}, countPad: {offset: 64, type: "u32"}, inZero: {offset: 68, type: "i32"}, zeroPoint: {offset: 72, type: "i32"}, low: {offset: 76, type: "i32"}, high: {offset: 80, type: "i32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    multiplier: {binding: 2, type: "read-only-storage", element: "f32"},
    out: {binding: 3, type: "storage", element: "u32"},
  },
} as const satisfies Shader;

const probeMatrix = {
  label: "probe_matrix",
  parts: [libDot4Wgsl, libMatrixEmulatedWgsl, probeMatrixWgsl],
  tile: {M: 16, N: 16, K: 32, LANES: 32, PINNED: 0, BYTES: 1, SUBGROUPS: 2, STEPS: 2, STAGED: 640, PACKED_DOT: 1, MATRIX_FORM: 0},
  overrides: {},
  bindings: {
    x: {binding: 0, type: "read-only-storage", element: "i32"},
    filters: {binding: 1, type: "read-only-storage", element: "i32"},
    out: {binding: 2, type: "storage", element: "i32"},
  },
} as const satisfies Shader;

const probeQuads = {
  label: "probe_quads",
  parts: [probeQuadsWgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    out: {binding: 0, type: "storage", element: "u32"},
  },
} as const satisfies Shader;

const quantizeDynamicF32 = {
  label: "quantize_dynamic_f32",
  parts: [libDot4Wgsl, libDivideWgsl, libDoubleWgsl, libChooseTorchWgsl, libDynamicWgsl, quantizeDynamicF32Wgsl],
  tile: {PACKED_DOT: 1},
  overrides: {TORCH: "bool", WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 16, fields: {count: {offset: 0, type: "u32"}, parts: {offset: 4, type: "u32"}, levels: {offset: 8, type: "u32"}, qmin: {offset: 12, type: "i32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    ranges: {binding: 2, type: "read-only-storage", element: "vec2f"},
    outScale: {binding: 3, type: "storage", element: "f32"},
    outZero: {binding: 4, type: "storage", element: "u32"},
    out: {binding: 5, type: "storage", element: "u32"},
  },
} as const satisfies Shader;

const quantizeF32 = {
  label: "quantize_f32",
  parts: [libGridWgsl, libDot4Wgsl, libRequantizeWgsl, quantizeF32Wgsl],
  tile: {PACKED_DOT: 1},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 20, fields: {count: {offset: 0, type: "u32"}, reciprocal: {offset: 4, type: "f32"}, zeroPoint: {offset: 8, type: "i32"}, low: {offset: 12, type: "i32"}, high: {offset: 16, type: "i32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    out: {binding: 2, type: "storage", element: "u32"},
  },
} as const satisfies Shader;

const quantizeRowsF32 = {
  label: "quantize_rows_f32",
  parts: [libDot4Wgsl, libDivideWgsl, libDoubleWgsl, libChooseTorchWgsl, libDynamicWgsl, quantizeRowsF32Wgsl],
  tile: {PACKED_DOT: 1},
  overrides: {TORCH: "bool", WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 20, fields: {rows: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}, last: {offset: 8, type: "u32"}, levels: {offset: 12, type: "u32"}, qmin: {offset: 16, type: "i32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    outScale: {binding: 2, type: "storage", element: "vec4f"},
    outZero: {binding: 3, type: "storage", element: "u32"},
    out: {binding: 4, type: "storage", element: "u32"},
  },
} as const satisfies Shader;

const rangeF32 = {
  label: "range_f32",
  parts: [libGridWgsl, rangeF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32", ZERO: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 12, fields: {count: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}, last: {offset: 8, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    out: {binding: 2, type: "storage", element: "vec2f"},
  },
} as const satisfies Shader;

const recurrentBiasF32 = {
  label: "recurrent_bias_f32",
  parts: [libGridWgsl, recurrentBiasF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 24, fields: {count: {offset: 0, type: "u32"}, gates: {offset: 4, type: "u32"}, units: {offset: 8, type: "u32"}, words: {offset: 12, type: "u32"}, biasStride: {offset: 16, type: "u32"}, keeps: {offset: 20, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "f32"},
    out: {binding: 2, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const recurrentCellsF32 = {
  label: "recurrent_cells_f32",
  parts: [libGridWgsl, libRecurrentGradWgsl, recurrentCellsF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 36, fields: {first: {offset: 0, type: "u32"}, steps: {offset: 4, type: "u32"}, begins: {offset: 8, type: "u32"}, time: {offset: 12, type: "u32"}, batch: {offset: 16, type: "u32"}, units: {offset: 20, type: "u32"}, words: {offset: 24, type: "u32"}, reverse: {offset: 28, type: "u32"}, lengthStride: {offset: 32, type: "u32"}}},
    sums: {binding: 1, type: "read-only-storage", element: "vec4f"},
    cFrom: {binding: 2, type: "read-only-storage", element: "vec4f"},
    lengths: {binding: 3, type: "read-only-storage", element: "i32"},
    out: {binding: 4, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const recurrentWeightsF32 = {
  label: "recurrent_weights_f32",
  parts: [libGridWgsl, recurrentWeightsF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 28, fields: {count: {offset: 0, type: "u32"}, extras: {offset: 4, type: "u32"}, gates: {offset: 8, type: "u32"}, units: {offset: 12, type: "u32"}, words: {offset: 16, type: "u32"}, biasStride: {offset: 20, type: "u32"}, keeps: {offset: 24, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "f32"},
    bias: {binding: 2, type: "read-only-storage", element: "f32"},
    out: {binding: 3, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const reduceF32 = {
  label: "reduce_f32",
  parts: [libKeptWgsl, libReduceWgsl, reduceF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32", LAST: "bool", OP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 88, fields: {count: {offset: 0, type: "u32"}, length: {offset: 4, type: "u32"}, r1: {offset: 8, type: "u32"}, r2: {offset: 12, type: "u32"}, r3: {offset: 16, type: "u32"}, s0: {offset: 20, type: "u32"}, s1: {offset: 24, type: "u32"}, s2: {offset: 28, type: "u32"}, s3: {offset: 32, type: "u32"}, k1: {offset: 36, type: "u32"}, k2: {offset: 40, type: "u32"}, k3: {offset: 44, type: "u32"}, k4: {offset: 48, type: "u32"}, t0: {offset: 52, type: "u32"}, t1: {offset: 56, type: "u32"}, t2: {offset: 60, type: "u32"}, t3: {offset: 64, type: "u32"}, t4: {offset: 68, type: "u32"}, words: {offset: 72, type: "u32"}, last: {offset: 76, type: "u32"}, scale: {offset: 80, type: "f32"}, empty: {offset: 84, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    out: {binding: 2, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const reduceI8 = {
  label: "reduce_i8",
  parts: [libDot4Wgsl, libRequantizeWgsl, libKeptWgsl, libReduceWgsl, reduceI8Wgsl],
  tile: {PACKED_DOT: 1},
  overrides: {WORKGROUP: "u32", LAST: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 100, fields: {count: {offset: 0, type: "u32"}, length: {offset: 4, type: "u32"}, r1: {offset: 8, type: "u32"}, r2: {offset: 12, type: "u32"}, r3: {offset: 16, type: "u32"}, s0: {offset: 20, type: "u32"}, s1: {offset: 24, type: "u32"}, s2: {offset: 28, type: "u32"}, s3: {offset: 32, type: "u32"}, k1: {offset: 36, type: "u32"}, k2: {offset: 40, type: "u32"}, k3: {offset: 44, type: "u32"}, k4: {offset: 48, type: "u32"}, t0: {offset: 52, type: "u32"}, t1: {offset: 56, type: "u32"}, t2: {offset: 60, type: "u32"}, t3: {offset: 64, type: "u32"}, t4: {offset: 68, type: "u32"}, words: {offset: 72, type: "u32"}, last: {offset: 76, type: "u32"}, inZero: {offset: 80, type: "i32"}, multiplier: {offset: 84, type: "f32"}, zeroPoint: {offset: 88, type: "i32"}, low: {offset: 92, type: "i32"}, high: {offset: 96, type: "i32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    out: {binding: 2, type: "storage", element: "u32"},
  },
} as const satisfies Shader;

const reshape32 = {
  label: "reshape_32",
  parts: [libGridWgsl, libReshapeWgsl, reshape32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 96, fields: {count: {offset: 0, type: "u32"}, last: {offset: 4, type: "u32"}, dim1: {offset: 8, type: "u32"}, dim2: {offset: 12, type: "u32"}, dim3: {offset: 16, type: "u32"}, dim4: {offset: 20, type: "u32"}, dim5: {offset: 24, type: "u32"}, weight0: {offset: 28, type: "u32"}, weight1: {offset: 32, type: "u32"}, weight2: {offset: 36, type: "u32"}, weight3: {offset: 40, type: "u32"}, weight4: {offset: 44, type: "u32"}, weight5: {offset: 48, type: "u32"}, size1: {offset: 52, type: "u32"}, size2: {offset: 56, type: "u32"}, size3: {offset: 60, type: "u32"}, size4: {offset: 64, type: "u32"}, size5: {offset: 68, type: "u32"}, stride0: {offset: 72, type: "u32"}, stride1: {offset: 76, type: "u32"}, stride2: {offset: 80, type: "u32"}, stride3: {offset: 84, type: "u32"}, stride4: {offset: 88, type: "u32"}, stride5: {offset: 92, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    out: {binding: 2, type: "storage", element: "vec4u"},
  },
} as const satisfies Shader;

const reshapeI8 = {
  label: "reshape_i8",
  parts: [libGridWgsl, libReshapeWgsl, libDot4Wgsl, reshapeI8Wgsl],
  tile: {PACKED_DOT: 1},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 96, fields: {count: {offset: 0, type: "u32"}, last: {offset: 4, type: "u32"}, dim1: {offset: 8, type: "u32"}, dim2: {offset: 12, type: "u32"}, dim3: {offset: 16, type: "u32"}, dim4: {offset: 20, type: "u32"}, dim5: {offset: 24, type: "u32"}, weight0: {offset: 28, type: "u32"}, weight1: {offset: 32, type: "u32"}, weight2: {offset: 36, type: "u32"}, weight3: {offset: 40, type: "u32"}, weight4: {offset: 44, type: "u32"}, weight5: {offset: 48, type: "u32"}, size1: {offset: 52, type: "u32"}, size2: {offset: 56, type: "u32"}, size3: {offset: 60, type: "u32"}, size4: {offset: 64, type: "u32"}, size5: {offset: 68, type: "u32"}, stride0: {offset: 72, type: "u32"}, stride1: {offset: 76, type: "u32"}, stride2: {offset: 80, type: "u32"}, stride3: {offset: 84, type: "u32"}, stride4: {offset: 88, type: "u32"}, stride5: {offset: 92, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    out: {binding: 2, type: "storage", element: "u32"},
  },
} as const satisfies Shader;

const reshapeQuantizeF32 = {
  label: "reshape_quantize_f32",
  parts: [libGridWgsl, libReshapeWgsl, libDot4Wgsl, libRequantizeWgsl, reshapeQuantizeF32Wgsl],
  tile: {PACKED_DOT: 1},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 112, fields: {count: {offset: 0, type: "u32"}, last: {offset: 4, type: "u32"}, dim1: {offset: 8, type: "u32"}, dim2: {offset: 12, type: "u32"}, dim3: {offset: 16, type: "u32"}, dim4: {offset: 20, type: "u32"}, dim5: {offset: 24, type: "u32"}, weight0: {offset: 28, type: "u32"}, weight1: {offset: 32, type: "u32"}, weight2: {offset: 36, type: "u32"}, weight3: {offset: 40, type: "u32"}, weight4: {offset: 44, type: "u32"}, weight5: {offset: 48, type: "u32"}, size1: {offset: 52, type: "u32"}, size2: {offset: 56, type: "u32"}, size3: {offset: 60, type: "u32"}, size4: {offset: 64, type: "u32"}, size5: {offset: 68, type: "u32"}, stride0: {offset: 72, type: "u32"}, stride1: {offset: 76, type: "u32"}, stride2: {offset: 80, type: "u32"}, stride3: {offset: 84, type: "u32"}, stride4: {offset: 88, type: "u32"}, stride5: {offset: 92, type: "u32"}, reciprocal: {offset: 96, type: "f32"}, zeroPoint: {offset: 100, type: "i32"}, low: {offset: 104, type: "i32"}, high: {offset: 108, type: "i32"}}},
    x: {binding: 1, type: "read-only-storage", element: "f32"},
    out: {binding: 2, type: "storage", element: "u32"},
  },
} as const satisfies Shader;

const sgdUpdateF32 = {
  label: "sgd_update_f32",
  parts: [libGridWgsl, libUpdateWgsl, sgdUpdateF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32", MOMENTUM: "bool", NESTEROV: "bool", ACCUMULATED: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 28, fields: {count: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}, last: {offset: 8, type: "u32"}, rate: {offset: 12, type: "f32"}, weightDecay: {offset: 16, type: "f32"}, momentum: {offset: 20, type: "f32"}, damped: {offset: 24, type: "f32"}}},
    hyper: {binding: 1, type: "read-only-storage", element: "vec4f"},
    factor: {binding: 2, type: "read-only-storage", element: "vec4f"},
    summed: {binding: 3, type: "storage", element: "vec4f"},
    velocity: {binding: 4, type: "storage", element: "vec4f"},
    parameter: {binding: 5, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const softmaxF32 = {
  label: "softmax_f32",
  parts: [libGridWgsl, softmaxF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32", LAST: "bool", LOG: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 24, fields: {count: {offset: 0, type: "u32"}, length: {offset: 4, type: "u32"}, stride: {offset: 8, type: "u32"}, inner: {offset: 12, type: "u32"}, outer: {offset: 16, type: "u32"}, last: {offset: 20, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    out: {binding: 2, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const softmaxRowsF32 = {
  label: "softmax_rows_f32",
  parts: [softmaxRowsF32Wgsl],
  tile: {LANES: 32, ROWS: 2},
  overrides: {MASKED: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 40, fields: {count: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}, last: {offset: 8, type: "u32"}, heads: {offset: 12, type: "u32"}, queries: {offset: 16, type: "u32"}, base: {offset: 20, type: "u32"}, mask0: {offset: 24, type: "u32"}, mask1: {offset: 28, type: "u32"}, mask2: {offset: 32, type: "u32"}, mask3: {offset: 36, type: "u32"}}},
    mask: {binding: 1, type: "read-only-storage", element: "f32"},
    out: {binding: 2, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const spreadF32 = {
  label: "spread_f32",
  parts: [libGridWgsl, spreadF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32", ZERO: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 40, fields: {count: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}, height: {offset: 8, type: "u32"}, width: {offset: 12, type: "u32"}, outHeight: {offset: 16, type: "u32"}, outWidth: {offset: 20, type: "u32"}, strideHeight: {offset: 24, type: "u32"}, strideWidth: {offset: 28, type: "u32"}, top: {offset: 32, type: "u32"}, left: {offset: 36, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    out: {binding: 2, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const squaresF32 = {
  label: "squares_f32",
  parts: [squaresF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 16, fields: {count: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}, last: {offset: 8, type: "u32"}, first: {offset: 12, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    out: {binding: 2, type: "storage", element: "f32"},
  },
} as const satisfies Shader;

const sumPartsF32 = {
  label: "sum_parts_f32",
  parts: [libGridWgsl, sumPartsF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32", LANES: "bool"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 24, fields: {count: {offset: 0, type: "u32"}, size: {offset: 4, type: "u32"}, parts: {offset: 8, type: "u32"}, words: {offset: 12, type: "u32"}, last: {offset: 16, type: "u32"}, taps: {offset: 20, type: "u32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    out: {binding: 2, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const sumRowsF32 = {
  label: "sum_rows_f32",
  parts: [libChannelRowsWgsl, sumRowsF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32", WIDE: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 28, fields: {rows: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}, last: {offset: 8, type: "u32"}, tiles: {offset: 12, type: "u32"}, share: {offset: 16, type: "u32"}, groups: {offset: 20, type: "u32"}, scale: {offset: 24, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    out: {binding: 2, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const sumsF32 = {
  label: "sums_f32",
  parts: [libGridWgsl, sumsF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 8, fields: {slices: {offset: 0, type: "u32"}, parts: {offset: 4, type: "u32"}}},
    sums: {binding: 1, type: "read-only-storage", element: "vec2f"},
    outScale: {binding: 2, type: "storage", element: "f32"},
    outZero: {binding: 3, type: "storage", element: "f32"},
  },
} as const satisfies Shader;

const unaryF32 = {
  label: "unary_f32",
  parts: [libGridWgsl, libErfWgsl, libUnaryWgsl, unaryF32Wgsl],
  tile: {},
  overrides: {OP: "u32", WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 20, fields: {count: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}, last: {offset: 8, type: "u32"}, a: {offset: 12, type: "f32"}, b: {offset: 16, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4u"},
    out: {binding: 2, type: "storage", element: "vec4u"},
  },
} as const satisfies Shader;

const unaryGradF32 = {
  label: "unary_grad_f32",
  parts: [libGridWgsl, libErfWgsl, unaryGradF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32", OP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 20, fields: {count: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}, last: {offset: 8, type: "u32"}, a: {offset: 12, type: "f32"}, b: {offset: 16, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4f"},
    gradient: {binding: 2, type: "read-only-storage", element: "vec4f"},
    out: {binding: 3, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const unaryRangeF32 = {
  label: "unary_range_f32",
  parts: [libErfWgsl, libUnaryWgsl, unaryRangeF32Wgsl],
  tile: {},
  overrides: {OP: "u32", WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 20, fields: {count: {offset: 0, type: "u32"}, words: {offset: 4, type: "u32"}, last: {offset: 8, type: "u32"}, a: {offset: 12, type: "f32"}, b: {offset: 16, type: "f32"}}},
    x: {binding: 1, type: "read-only-storage", element: "vec4u"},
    outRange: {binding: 2, type: "storage", element: "vec2f"},
    out: {binding: 3, type: "storage", element: "vec4u"},
  },
} as const satisfies Shader;

const updateRunningF32 = {
  label: "update_running_f32",
  parts: [libGridWgsl, updateRunningF32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 16, fields: {words: {offset: 0, type: "u32"}, keep: {offset: 4, type: "f32"}, momentum: {offset: 8, type: "f32"}, scaled: {offset: 12, type: "f32"}}},
    mean: {binding: 1, type: "read-only-storage", element: "vec4f"},
    variance: {binding: 2, type: "read-only-storage", element: "vec4f"},
    runningMean: {binding: 3, type: "storage", element: "vec4f"},
    runningVariance: {binding: 4, type: "storage", element: "vec4f"},
  },
} as const satisfies Shader;

const where32 = {
  label: "where_32",
  parts: [libGridWgsl, libBroadcastWgsl, where32Wgsl],
  tile: {},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 80, fields: {count: {offset: 0, type: "u32"}, dim1: {offset: 4, type: "u32"}, dim2: {offset: 8, type: "u32"}, dim3: {offset: 12, type: "u32"}, dim4: {offset: 16, type: "u32"}, dim5: {offset: 20, type: "u32"}, a0: {offset: 24, type: "u32"}, a1: {offset: 28, type: "u32"}, a2: {offset: 32, type: "u32"}, a3: {offset: 36, type: "u32"}, a4: {offset: 40, type: "u32"}, a5: {offset: 44, type: "u32"}, b0: {offset: 48, type: "u32"}, b1: {offset: 52, type: "u32"}, b2: {offset: 56, type: "u32"}, b3: {offset: 60, type: "u32"}, b4: {offset: 64, type: "u32"}, b5: {offset: 68, type: "u32"}, aSplat: {offset: 72, type: "u32"}, bSplat: {offset: 76, type: "u32"}}},
    condition: {binding: 1, type: "read-only-storage", element: "vec4i"},
    a: {binding: 2, type: "read-only-storage", element: "vec4u"},
    b: {binding: 3, type: "read-only-storage", element: "vec4u"},
    out: {binding: 4, type: "storage", element: "vec4u"},
  },
} as const satisfies Shader;

const windowSumsI8 = {
  label: "window_sums_i8",
  parts: [libGridWgsl, libWindowWgsl, libDot4Wgsl, windowSumsI8Wgsl],
  tile: {PACKED_DOT: 1},
  overrides: {WORKGROUP: "u32"},
  bindings: {
    params: {binding: 0, type: "uniform", size: 76, fields: {count: {offset: 0, type: "u32"}, groups: {offset: 4, type: "u32"}, pixels: {offset: 8, type: "u32"}, outHeight: {offset: 12, type: "u32"}, outWidth: {offset: 16, type: "u32"}, inHeight: {offset: 20, type: "u32"}, inWidth: {offset: 24, type: "u32"}, inWords: {offset: 28, type: "u32"}, groupWords: {offset: 32, type: "u32"}, last: {offset: 36, type: "u32"}, kernelHeight: {offset: 40, type: "u32"}, kernelWidth: {offset: 44, type: "u32"}, strideHeight: {offset: 48, type: "u32"}, strideWidth: {offset: 52, type: "u32"}, dilationHeight: {offset: 56, type: "u32"}, dilationWidth: {offset: 60, type: "u32"}, padTop: {offset: 64, type: "u32"}, padLeft: {offset: 68, type: "u32"}, zeroPoint: {offset: 72, type: "i32"}}},
    x: {binding: 1, type: "read-only-storage", element: "u32"},
    out: {binding: 2, type: "storage", element: "i32"},
  },
} as const satisfies Shader;

/** Every shader by its name. */
export const shaders = { accumulateF32, adamUpdateF32, argF32, averagePoolGradF32, batchNormF32, batchNormFactsF32, batchNormGradF32, batchNormMomentsF32, batchNormParametersGradF32, batchNormStatisticsF32, batchNormSumsF32, batchedF32, batchedQuadF32, binaryF32, binaryI32, binaryI8, cast32, clampGradF32, clipFactorF32, compareF32, comparisonF32, convDynamicI8, convF32, convGradFilterF32, convGradFilterQuadF32, convI32, convI8, convMatrixDynamicI8, convMatrixI8, convObservedF32, convQuadDynamicI8, convQuadF32, convQuadI8, convQuadObservedF32, convTiledDynamicI8, convTiledF32, convTiledI8, convTiledPartsI8, copy32, copyI8, crossEntropyF32, crossEntropyGradF32, depthwiseF32, depthwiseGradFilterF32, depthwiseI32, depthwiseI8, depthwiseTileF32, depthwiseTileI32, depthwiseTileI8, depthwiseTileObservedF32, depthwiseTransposeF32, dequantizeI8, fakeQuantizeF32, fakeQuantizeGradF32, fakeQuantizeLearnF32, fakeQuantizeStepsF32, gather32, gatherChains, gatherGradF32, gatherI8, gatherWeights, gemvDynamicI8, gemvF32, gemvI8, gemvWeights, groupedGradFilterF32, gruDynamicI8, gruF32, gruGradF32, guardStepF32, joinDynamicI8, joinI8, layerNormF32, layerNormRowsF32, lookupI8, lstmDynamicI8, lstmF32, lstmGradF32, matmulF32, matmulQuadWeights, matmulTiledWeights, matmulWeights, maxPoolGradF32, narrowI8, observeAverageF32, observeChannelsF32, observeHistogramF32, observeHistogramPrivateF32, observeMinmaxF32, packFilterF32, poolF32, poolI8, probeMatrix, probeQuads, quantizeDynamicF32, quantizeF32, quantizeRowsF32, rangeF32, recurrentBiasF32, recurrentCellsF32, recurrentWeightsF32, reduceF32, reduceI8, reshape32, reshapeI8, reshapeQuantizeF32, sgdUpdateF32, softmaxF32, softmaxRowsF32, spreadF32, squaresF32, sumPartsF32, sumRowsF32, sumsF32, unaryF32, unaryGradF32, unaryRangeF32, updateRunningF32, where32, windowSumsI8 } as const;

/** The joined part that differs where the language feature is missing. */
export const dot4 = { packed: libDot4Wgsl, unpacked: libDot4UnpackedWgsl } as const;

/** The joined part that MATRIX_FORM chooses: its index here. */
export const matrixForms = [libMatrixEmulatedWgsl, libMatrixWgsl, libMatrixFlagWgsl] as const;
