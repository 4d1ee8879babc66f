import { adamwKernel } from '../adamw/adamw.cases.js';
import { attentionBackwardKernel } from '../attention-backward/attention-backward.cases.js';
import { attentionKernel } from '../attention/attention.cases.js';
import { columnSumKernel } from '../column-sum/column-sum.cases.js';
import { crossEntropyBackwardKernel, crossEntropyKernel } from '../cross-entropy/cross-entropy.cases.js';
import { cubesFromVideoKernel, cubesKernel } from '../masked-video/cubes/cubes.cases.js';
import { dropPathKernel } from '../drop-path/drop-path.cases.js';
import { emaKernel } from '../ema/ema.cases.js';
import { geluBackwardKernel, geluKernel } from '../gelu/gelu.cases.js';
import { gradientNormKernel } from '../gradient-norm/gradient-norm.cases.js';
import type { KernelSpec } from '../kernel-spec.js';
import { layerNormBackwardKernel, layerNormKernel } from '../layer-norm/layer-norm.cases.js';
import { lossScaleCotangentKernel, lossScaleKernel } from '../loss-scale/loss-scale.cases.js';
import { matmulKernel } from '../matmul/matmul.cases.js';
import { meanRowsBackwardKernel, meanRowsKernel } from '../mean-rows/mean-rows.cases.js';
import {
  twoPartLossBackwardKernel,
  twoPartLossKernel,
} from '../masked-video/two-part-loss/two-part-loss.cases.js';
import { mseBackwardKernel, mseKernel } from '../mse/mse.cases.js';
import { fillKernel, sumAllKernel, sumLeadingKernel } from '../reduce/reduce.cases.js';
import { packFramesKernel } from '../pixels/pack-frames/pack-frames.cases.js';
import { resampleKernel } from '../pixels/resample/resample.cases.js';
import { unpackKernel } from '../pixels/unpack/unpack.cases.js';
import { rowAddKernel } from '../row-add/row-add.cases.js';
import { rowScaleKernel } from '../row-scale/row-scale.cases.js';
import { targetsFromVideoKernel, targetsKernel } from '../masked-video/targets/targets.cases.js';
import { stridedMapKernel, stridedReduceKernel } from '../strided/strided.cases.js';
import { tubeMaskKernel } from '../masked-video/tube-mask/tube-mask.cases.js';

/** Every kernel with its cases: what the benchmark times and the support table lists. */
export const kernelCatalogue: readonly KernelSpec[] = [
  attentionKernel,
  attentionBackwardKernel,
  columnSumKernel,
  matmulKernel,
  crossEntropyKernel,
  crossEntropyBackwardKernel,
  fillKernel,
  geluKernel,
  geluBackwardKernel,
  layerNormKernel,
  layerNormBackwardKernel,
  meanRowsKernel,
  meanRowsBackwardKernel,
  mseKernel,
  mseBackwardKernel,
  twoPartLossKernel,
  twoPartLossBackwardKernel,
  rowAddKernel,
  rowScaleKernel,
  sumAllKernel,
  sumLeadingKernel,
  stridedMapKernel,
  stridedReduceKernel,
  adamwKernel,
  cubesKernel,
  cubesFromVideoKernel,
  dropPathKernel,
  emaKernel,
  gradientNormKernel,
  lossScaleKernel,
  lossScaleCotangentKernel,
  targetsKernel,
  targetsFromVideoKernel,
  tubeMaskKernel,
  unpackKernel,
  resampleKernel,
  packFramesKernel,
];
