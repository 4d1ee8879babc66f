import {
  columnSum,
  geluBackward,
  matmul,
  rowScale,
  type DType,
  type GpuArray,
  type MatmulOperands,
  type RowSums,
  type Runtime,
} from '@tubelet/kernels';
import { Parameter } from '../engine/parameter.js';
import type { GradientFlow, Tensor } from '../engine/tensor.js';

/** Random scaling of whole samples in a residual branch (stochastic depth). */
export interface RowScaling {
  /** One factor a group of rows: 0 or 1/(1 − rate), shape [groups]. */
  readonly scale: GpuArray;
  readonly rowsPerScale: number;
}

/** What a linear layer does besides its product. */
export interface LinearOptions {
  /** [N]; or a pack [N] of biases, whose gaps stay zero. */
  readonly bias?: Tensor;
  /** Applied to the result; excludes `residual`. */
  readonly activation?: 'gelu';
  /** Added to the result, same shape. */
  readonly residual?: Tensor;
  /** Multiplies the rows before the residual is added. */
  readonly rowScaling?: RowScaling;
  /** Where to write the result instead of a new array: e.g. some rows of a larger buffer. */
  readonly into?: GpuArray;
}

/**
 * y = x·Wᵀ + b, optionally GELU(…) or residual + scale·(…). x [..., K], weight [N, K] → [..., N], of the dtype of x,
 * but f32 with a residual.
 *
 * Backward: dx = dy·W, dW = dyᵀ·x, db = Σ_rows dy.
 *
 * @throws ShapeError when shapes do not fit
 */
export function linear(x: Tensor, weight: Tensor, options: LinearOptions = {}): Tensor {
  const { bias, activation, residual, rowScaling } = options;
  if (activation && (residual || rowScaling)) {
    throw new RangeError('linear() applies an activation or adds a residual, not both');
  }
  const { engine } = x;
  const { runtime } = engine;
  const inputs = [x, weight, bias, residual].filter((tensor) => tensor !== undefined);
  const shape = [...x.shape.slice(0, -1), weight.shape[0]!];
  const out = options.into ?? engine.empty(shape, residual ? 'f32' : x.dtype, 'linear');
  const preActivation =
    activation && engine.needsGrad(inputs) ? engine.empty(out.shape, out.dtype, 'pre-GELU') : undefined;
  matmul(runtime, {
    a: x.array,
    b: weightOperand(weight, x),
    transposeB: true,
    out,
    bias: bias?.array,
    activation,
    preActivation,
    residual: residual?.array,
    rowScale: rowScaling?.scale,
    rowsPerScale: rowScaling?.rowsPerScale,
  });
  const y = engine.output(out, inputs, 'linear');
  if (y.requiresGrad) {
    engine.record({
      name: 'linear',
      inputs,
      outputs: [y],
      saved: preActivation ? [preActivation] : [],
      backward: (gradients) => {
        if (preActivation) {
          const dy = runtime.empty(y.shape, x.dtype, 'linear backward');
          geluBackward(runtime, preActivation, gradients.of(y), dy);
          linearBackward(gradients, { x, weight, bias, dy });
          runtime.release(dy);
        } else {
          withScaling(runtime, gradients.of(y), rowScaling, x.dtype, (dy) =>
            linearBackward(gradients, { x, weight, bias, ...dy }),
          );
        }
        // Last, because whoever receives the buffer adds to it in place.
        if (residual) gradients.donate(residual, gradients.of(y));
      },
    });
  }
  return y;
}

/** The tensors of a linear layer. */
interface LinearOperands {
  readonly x: Tensor;
  readonly weight: Tensor;
  readonly bias?: Tensor;
}

/** The gradient of a layer's result: dy, or aScale[⌊row / rowsPerAScale⌋] · dy. */
export type ResultGradient = { readonly dy: GpuArray } & Pick<MatmulOperands, 'aScale' | 'rowsPerAScale'>;

/**
 * Hands the gradient of what was scaled to `use`. Products scale it as they read it; on a software driver, where what
 * they read is dear, it is done once for all of them, in memory of `dtype`.
 */
export function withScaling(
  runtime: Runtime,
  dy: GpuArray,
  scaling: RowScaling | undefined,
  dtype: DType,
  use: (gradient: ResultGradient) => void,
): void {
  if (!scaling) return use({ dy });
  if (!runtime.adapter.isSoftware) {
    return use({ dy, aScale: scaling.scale, rowsPerAScale: scaling.rowsPerScale });
  }
  const scaled = runtime.empty(dy.shape, dtype, 'scaled gradient');
  rowScale(runtime, { x: dy, ...scaling, out: scaled });
  use({ dy: scaled });
  runtime.release(scaled);
}

/** What products of `x` read of a weight: its values in f16 where those of `x` are, if it has any. */
export function weightOperand(weight: Tensor, x: Tensor): GpuArray {
  return weight instanceof Parameter && x.dtype === 'f16' ? weight.half() : weight.array;
}

/** The three products of a linear layer's backward pass: into weight, bias and x, where they need gradients. */
export function linearBackward(
  gradients: GradientFlow,
  { x, weight, bias, dy, ...scaling }: LinearOperands & ResultGradient,
): void {
  const { runtime } = x.engine;
  runtime.together(() => {
    weightBackward(gradients, { x: x.array, weight, bias, dy, ...scaling });
    if (!x.requiresGrad) return;
    const { array, accumulate } = gradients.target(x);
    matmul(runtime, { a: dy, ...scaling, b: weightOperand(weight, x), out: array, accumulate });
  });
}

/** dW = dyᵀ·x and db = Σ_rows dy, in one pass over dy where both are wanted. */
export function weightBackward(
  gradients: GradientFlow,
  { x, weight, bias, dy, ...scaling }: Omit<LinearOperands, 'x'> & ResultGradient & { readonly x: GpuArray },
): void {
  const { runtime } = weight.engine;
  const wantsBias = bias?.requiresGrad === true;
  const rowSums = wantsBias && weight.requiresGrad ? biasTarget(gradients, bias) : undefined;
  if (weight.requiresGrad) {
    const { array, accumulate } = gradients.target(weight);
    // Nobody reads the gradient of a parameter before the end of the pass.
    const canWait = [weight, bias].every((tensor) => tensor === undefined || tensor instanceof Parameter);
    const sums = canWait ? gradients.partialSums : undefined;
    matmul(runtime, { a: dy, ...scaling, transposeA: true, b: x, out: array, accumulate, rowSums }, sums);
  }
  if (wantsBias && !rowSums) biasBackward(gradients, bias, { dy, ...scaling });
}

/** Whether one sum serves a pack: it has no gaps, and its parts all have a gradient to be added to, or none has. */
function isWhole(pack: Parameter): boolean {
  return pack.gaps().length === 0 && pack.parts.every((part) => part.hasGradient === pack.hasGradient);
}

/** Where the whole gradient of a bias goes; the parts of a pack that is not whole get theirs later, its gaps none. */
function biasTarget(gradients: GradientFlow, bias: Tensor): RowSums {
  if (!(bias instanceof Parameter) || isWhole(bias)) {
    const { array, accumulate } = gradients.target(bias);
    return { out: array, accumulate };
  }
  const pieces = bias.parts.map((part) => {
    const { array, accumulate } = gradients.target(part);
    return { target: array, column: part.array.offset - bias.array.offset, accumulate };
  });
  return { pieces };
}

/** db = Σ_rows dy; in a pack only for the columns of its parts, so that gaps keep a gradient of zero. */
function biasBackward(
  gradients: GradientFlow,
  bias: Tensor,
  { dy, aScale, rowsPerAScale }: ResultGradient,
): void {
  const { runtime } = bias.engine;
  const scaled = aScale && runtime.empty(dy.shape, dy.dtype, 'scaled gradient');
  if (scaled) rowScale(runtime, { x: dy, scale: aScale, rowsPerScale: rowsPerAScale!, out: scaled });
  const members = bias instanceof Parameter && bias.parts.length > 0 ? bias.parts : [bias];
  for (const member of members) {
    const start = member.array.offset - bias.array.offset;
    const columns = (scaled ?? dy).slice(-1, start, start + member.array.size);
    const { array, accumulate } = gradients.target(member);
    columnSum(runtime, { x: columns, out: array, accumulate });
  }
  if (scaled) runtime.release(scaled);
}
