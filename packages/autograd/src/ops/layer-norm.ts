import { layerNorm as layerNormKernel, layerNormBackward } from '@tubelet/kernels';
import { Parameter } from '../parameters.js';
import type { Tensor } from '../tensor.js';

/**
 * y = (x − mean) / √(var + ε) · weight + bias over the last axis, biased variance (Ba et al., 2016).
 * x [..., C] may be a strided view; the result is contiguous. ε is 1e-6 as in MAE-DFER. With `mayBeHalf` the result is
 * of `Runtime.activationDtype`, which may be f16: for `linear`, `mlp` and `attention`, whose results then are too.
 */
export function layerNorm(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  { epsilon = 1e-6, mayBeHalf = false } = {},
): Tensor {
  const { engine } = x;
  const { runtime } = engine;
  const inputs = [x, weight, bias];
  const rows = x.array.size / x.extent(-1);
  const out = engine.empty(x.shape, mayBeHalf ? runtime.activationDtype : 'f32', 'layer-norm');
  const mean = engine.empty([rows], 'f32', 'layer-norm mean');
  const rstd = engine.empty([rows], 'f32', 'layer-norm rstd');
  layerNormKernel(runtime, { x: x.array, weight: weight.array, bias: bias.array, out, mean, rstd, epsilon });
  const y = engine.output(out, inputs, 'layer-norm');
  if (!y.requiresGrad) {
    runtime.release(mean);
    runtime.release(rstd);
    return y;
  }
  engine.record({
    name: 'layer-norm',
    inputs,
    outputs: [y],
    saved: [mean, rstd],
    backward: (gradients) => {
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
      // Nobody reads the gradient of a parameter before the end of the pass; other tensors have a backward of their
      // own.
      const canWait = weight instanceof Parameter && bias instanceof Parameter;
      layerNormBackward(runtime, arrays, canWait ? gradients.partialSums : undefined);
    },
  });
  return y;
}

function describe(tensor: Tensor): string {
  return tensor instanceof Parameter ? `parameter ${tensor.name}` : tensor.toString();
}
