import { layerNorm as layerNormKernel, layerNormBackward, type GpuArray } from '@tubelet/kernels';
import { Parameter } from '../engine/parameter.js';
import type { GradientFlow, Tensor } from '../engine/tensor.js';

/** How rows are normalised. */
export interface LayerNormOptions {
  /** Default 1e-6, as in MAE-DFER. */
  readonly epsilon?: number;
  /**
   * The result is of `Runtime.activationDtype`, which may be f16: for `linear`, `mlp` and `attention`, whose results then
   * are too.
   */
  readonly mayBeHalf?: boolean | undefined;
}

/** The tensors of one layer norm. */
export interface LayerNormOperands extends LayerNormOptions {
  /** [..., C], may be a strided view. */
  readonly x: Tensor;
  /** [C] */
  readonly weight: Tensor;
  /** [C] */
  readonly bias: Tensor;
}

/**
 * y = (x − mean) / √(var + ε) · weight + bias over the last axis, biased variance (Ba et al., 2016).
 * x [..., C] may be a strided view; the result is contiguous.
 */
export function layerNorm(x: Tensor, weight: Tensor, bias: Tensor, options: LayerNormOptions = {}): Tensor {
  return layerNorms([{ x, weight, bias, ...options }])[0]!;
}

/**
 * Several layer norms that may be taken side by side, forward and backward, as of rows of one tensor that have weights of
 * their own: none of their inputs depends on a result of another. Rows that share memory must lie apart.
 */
export function layerNorms(operands: readonly LayerNormOperands[]): Tensor[] {
  const [first] = operands;
  if (!first) return [];
  const { engine } = first.x;
  const { runtime } = engine;
  const norms = runtime.together(() => operands.map(normalise));
  const waiting = norms.filter(({ y, mean, rstd }) => {
    if (y.requiresGrad) return true;
    runtime.release(mean);
    runtime.release(rstd);
    return false;
  });
  if (waiting.length > 0) {
    engine.record({
      name: 'layer-norm',
      inputs: waiting.flatMap(({ x, weight, bias }) => [x, weight, bias]),
      outputs: waiting.map(({ y }) => y),
      saved: waiting.flatMap(({ mean, rstd }) => [mean, rstd]),
      backward: (gradients) =>
        runtime.together(() => {
          for (const norm of waiting) if (gradients.has(norm.y)) normBackward(gradients, norm);
        }),
    });
  }
  return norms.map(({ y }) => y);
}

interface Norm extends LayerNormOperands {
  readonly y: Tensor;
  /** [rows] */
  readonly mean: GpuArray;
  /** [rows] */
  readonly rstd: GpuArray;
}

function normalise(operands: LayerNormOperands): Norm {
  const { x, weight, bias, epsilon = 1e-6, mayBeHalf = false } = operands;
  const { engine } = x;
  const { runtime } = engine;
  const rows = x.array.size / x.extent(-1);
  const out = engine.empty(x.shape, mayBeHalf ? runtime.activationDtype : 'f32', 'layer-norm');
  const mean = engine.empty([rows], 'f32', 'layer-norm mean');
  const rstd = engine.empty([rows], 'f32', 'layer-norm rstd');
  layerNormKernel(runtime, { x: x.array, weight: weight.array, bias: bias.array, out, mean, rstd, epsilon });
  return { ...operands, y: engine.output(out, [x, weight, bias], 'layer-norm'), mean, rstd };
}

function normBackward(gradients: GradientFlow, { x, weight, bias, y, mean, rstd }: Norm): void {
  const weightTarget = gradients.target(weight);
  const biasTarget = gradients.target(bias);
  if (weightTarget.accumulate !== biasTarget.accumulate) {
    throw new Error(`weight and bias of one layer norm (${describe(weight)}) must be used together`);
  }
  const dx = gradients.target(x);
  const arrays = {
    dOut: gradients.of(y),
    x: x.array,
    weight: weight.array,
    mean,
    rstd,
    dx: dx.array,
    dWeight: weightTarget.array,
    dBias: biasTarget.array,
    accumulateDx: dx.accumulate,
    accumulateParameters: weightTarget.accumulate,
  };
  // Nobody reads the gradient of a parameter before the end of the pass; other tensors have a backward of their own.
  const canWait = weight instanceof Parameter && bias instanceof Parameter;
  layerNormBackward(x.engine.runtime, arrays, canWait ? gradients.partialSums : undefined);
}

function describe(tensor: Tensor): string {
  return tensor instanceof Parameter ? `parameter ${tensor.name}` : tensor.toString();
}
