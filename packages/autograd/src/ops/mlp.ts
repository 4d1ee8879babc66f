import { matmul } from '@tubelet/kernels';
import type { Tensor } from '../engine/tensor.js';
import { linearBackward, weightBackward, weightOperand, withScaling, type RowScaling } from './linear.js';

/** The tensors of a feed-forward branch. */
export interface MlpOperands {
  /** [..., C]: input, usually normalised; the hidden layer is of its dtype. */
  readonly x: Tensor;
  /** [F, C] and [F]. */
  readonly fc1Weight: Tensor;
  readonly fc1Bias: Tensor;
  /** [C, F] and [C]. */
  readonly fc2Weight: Tensor;
  readonly fc2Bias: Tensor;
  /** [..., C]: added to the result. */
  readonly residual: Tensor;
  readonly rowScaling?: RowScaling;
}

/**
 * y = residual + scale · (GELU(x·W₁ᵀ + b₁)·W₂ᵀ + b₂), the feed-forward branch of a transformer block.
 *
 * GELU runs in the epilogue of the first product and its derivative in the epilogue of dy·W₂, so the hidden
 * layer [..., F] is written twice (before and after GELU) and never read by a kernel of its own.
 */
export function mlp(operands: MlpOperands): Tensor {
  const { x, fc1Weight, fc1Bias, fc2Weight, fc2Bias, residual, rowScaling } = operands;
  const { engine } = x;
  const { runtime } = engine;
  const inputs = [x, fc1Weight, fc1Bias, fc2Weight, fc2Bias, residual];
  const hiddenShape = [...x.shape.slice(0, -1), fc1Weight.shape[0]!];
  const needsGrad = engine.needsGrad(inputs);
  const hidden = engine.empty(hiddenShape, x.dtype, 'mlp hidden');
  const preActivation = needsGrad ? engine.empty(hiddenShape, x.dtype, 'mlp pre-GELU') : undefined;
  matmul(runtime, {
    a: x.array,
    b: weightOperand(fc1Weight, x),
    transposeB: true,
    out: hidden,
    bias: fc1Bias.array,
    activation: 'gelu',
    preActivation,
  });
  const out = engine.empty(residual.shape, 'f32', 'mlp');
  matmul(runtime, {
    a: hidden,
    b: weightOperand(fc2Weight, x),
    transposeB: true,
    out,
    bias: fc2Bias.array,
    residual: residual.array,
    rowScale: rowScaling?.scale,
    rowsPerScale: rowScaling?.rowsPerScale,
  });
  const y = engine.output(out, inputs, 'mlp');
  if (!preActivation) {
    runtime.release(hidden);
    return y;
  }
  engine.record({
    name: 'mlp',
    inputs,
    outputs: [y],
    saved: [preActivation, hidden],
    backward: (gradients) => {
      const dy = gradients.of(y);
      const dHidden = runtime.empty(hiddenShape, x.dtype, 'mlp backward');
      withScaling(runtime, dy, rowScaling, x.dtype, ({ dy: a, ...scaling }) =>
        runtime.together(() => {
          weightBackward(gradients, { x: hidden, weight: fc2Weight, bias: fc2Bias, dy: a, ...scaling });
          matmul(runtime, {
            a,
            ...scaling,
            b: weightOperand(fc2Weight, x),
            out: dHidden,
            geluInput: preActivation,
          });
        }),
      );
      linearBackward(gradients, { x, weight: fc1Weight, bias: fc1Bias, dy: dHidden });
      runtime.release(dHidden);
      gradients.donate(residual, dy);
    },
  });
  return y;
}
