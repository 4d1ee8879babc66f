import { product } from '@tubelet/kernels';
import { testRandom, type Random } from '@tubelet/kernels/lab';
import { blockMacs, blockParameters, type BlockShape } from './block.js';
import { gptMacs, gptParameters, type GptShape } from './gpt.js';

/** A contiguous array on the host. */
export interface HostArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Arrays by name. */
export type HostTensors = Readonly<Record<string, HostArray>>;

/** y [m, n] = a [m, k] · b [k, n]. */
export interface MatmulCase {
  readonly kind: 'matmul';
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** y [rows, outputs] = GELU(x [rows, inputs] · weight [inputs, outputs] + bias), with the exact GELU. */
export interface LinearGeluCase {
  readonly kind: 'linear-gelu';
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
}

/** y = x + fc2(GELU(fc1(x))) on x [rows, width]. */
export interface MlpCase {
  readonly kind: 'mlp';
  readonly rows: number;
  readonly width: number;
  readonly hidden: number;
}

/** y = (x − μ) / √(σ² + ε) · weight + bias over the rows of x [rows, width]. */
export interface LayerNormCase {
  readonly kind: 'layer-norm';
  readonly rows: number;
  readonly width: number;
}

/** y [groups, rows, heads · headDimension] = softmax(q·kᵀ/√headDimension)·v by groups and heads. */
export interface AttentionCase {
  readonly kind: 'attention';
  readonly groups: number;
  readonly rows: number;
  readonly heads: number;
  readonly headDimension: number;
}

/** How much of a training step of one LGI block runs; the loss is the mean square error against `target`. */
export type BlockPart = 'forward' | 'forward+backward' | 'step';

export interface BlockCase extends BlockShape {
  readonly kind: 'block';
  readonly part: BlockPart;
}

/** A training step of a small GPT: forward, backward of the mean cross-entropy, AdamW. */
export interface GptCase extends GptShape {
  readonly kind: 'gpt';
}

export type CaseShape =
  MatmulCase | LinearGeluCase | MlpCase | LayerNormCase | AttentionCase | BlockCase | GptCase;

/** One job that every engine does. */
export interface PeerCase {
  readonly name: string;
  readonly shape: CaseShape;
  /** Bound on the largest |actual − expected| of an output over its largest |expected|. */
  readonly tolerance: number;
}

/** AdamW of training steps. ε is large so that rounding errors of gradients near zero stay small in the update. */
export const STEP = {
  learningRate: 1e-3,
  weightDecay: 0.05,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-4,
} as const;

const base: BlockShape = { regions: 8, locals: 100, width: 512, heads: 8 };
const rows = base.regions * (1 + base.locals);
const { width } = base;
const hidden = 4 * width;

const matmulCase = (m: number, k: number, n: number, name = ''): PeerCase => ({
  name: `matmul ${m}×${k}·${k}×${n}${name}`,
  shape: { kind: 'matmul', m, n, k },
  tolerance: 1e-5,
});

/** The case that is compared with a tuned library on the processor. */
export const SCALE_CASE = 'matmul 1024×1024·1024×1024';

/** Sizes and batch of `examples/src/gpt.ts`. */
const gpt: GptShape = { batch: 8, context: 32, letters: 37, width: 64, heads: 4, depth: 2 };

/** What is measured: LGI-Former base in fine-tuning with one clip, the example's GPT, and a square product for scale. */
export const peerCases: readonly PeerCase[] = [
  matmulCase(1024, 1024, 1024),
  matmulCase(rows, width, 3 * width, ' (qkv)'),
  matmulCase(rows, width, width, ' (projection)'),
  matmulCase(rows, hidden, width, ' (MLP down)'),
  {
    name: 'linear + GELU (MLP up)',
    shape: { kind: 'linear-gelu', rows, inputs: width, outputs: hidden },
    tolerance: 1e-5,
  },
  { name: 'MLP', shape: { kind: 'mlp', rows, width, hidden }, tolerance: 1e-5 },
  { name: 'layer norm', shape: { kind: 'layer-norm', rows, width }, tolerance: 1e-5 },
  {
    name: 'windowed attention 8×8×101×64',
    shape: { kind: 'attention', groups: 8, rows: 101, heads: 8, headDimension: 64 },
    tolerance: 1e-5,
  },
  { name: 'LGI block, forward', shape: { kind: 'block', part: 'forward', ...base }, tolerance: 2e-5 },
  {
    name: 'LGI block, forward + backward',
    shape: { kind: 'block', part: 'forward+backward', ...base },
    tolerance: 1e-4,
  },
  { name: 'LGI block, AdamW step', shape: { kind: 'block', part: 'step', ...base }, tolerance: 1e-3 },
  { name: 'GPT of the example, AdamW step', shape: { kind: 'gpt', ...gpt }, tolerance: 1e-3 },
];

/** The inputs of a case, the same in every process. */
export function caseInputs(shape: CaseShape): HostTensors {
  const random = testRandom(7);
  const arrays: Record<string, HostArray> = {};
  for (const [name, spec] of Object.entries(inputSpecs(shape))) arrays[name] = fill(spec, random);
  return arrays;
}

/** How an input is drawn: normal numbers of this mean and standard deviation, or whole numbers from 0 on. */
export interface InputSpec {
  readonly shape: readonly number[];
  readonly mean?: number;
  readonly deviation?: number;
  /** Whole numbers below this one, in place of normal ones. */
  readonly below?: number;
}

function inputSpecs(shape: CaseShape): Readonly<Record<string, InputSpec>> {
  switch (shape.kind) {
    case 'matmul':
      return { a: { shape: [shape.m, shape.k] }, b: { shape: [shape.k, shape.n] } };
    case 'linear-gelu':
      return {
        x: { shape: [shape.rows, shape.inputs] },
        weight: weight(shape.inputs, shape.outputs),
        bias: offset(shape.outputs),
      };
    case 'mlp':
      return {
        x: { shape: [shape.rows, shape.width] },
        fc1Weight: weight(shape.width, shape.hidden),
        fc1Bias: offset(shape.hidden),
        fc2Weight: weight(shape.hidden, shape.width),
        fc2Bias: offset(shape.width),
      };
    case 'layer-norm':
      return {
        x: { shape: [shape.rows, shape.width], mean: 1 },
        weight: { shape: [shape.width], mean: 1, deviation: 0.1 },
        bias: offset(shape.width),
      };
    case 'attention': {
      const extents = [shape.groups, shape.rows, shape.heads * shape.headDimension];
      return { q: { shape: extents }, k: { shape: extents }, v: { shape: extents } };
    }
    case 'block': {
      const extents = [shape.regions, 1 + shape.locals, shape.width];
      return {
        x: { shape: extents },
        target: { shape: extents },
        ...parameterSpecs(blockParameters(shape.width)),
      };
    }
    case 'gpt': {
      const letters = { shape: [shape.batch, shape.context], below: shape.letters };
      return { x: letters, target: letters, ...parameterSpecs(gptParameters(shape)) };
    }
  }
}

function parameterSpecs(shapes: Readonly<Record<string, readonly number[]>>) {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]): [string, InputSpec] => [name, parameterSpec(name, shape)]),
  );
}

function parameterSpec(name: string, shape: readonly number[]): InputSpec {
  if (shape.length === 2) return { shape, deviation: shape[0]! ** -0.5 };
  return { shape, deviation: 0.1, mean: /norm\d?\.weight$/i.test(name) ? 1 : 0 };
}

function weight(inputs: number, outputs: number): InputSpec {
  return { shape: [inputs, outputs], deviation: inputs ** -0.5 };
}

function offset(count: number): InputSpec {
  return { shape: [count], deviation: 0.1 };
}

function fill({ shape, mean = 0, deviation = 1, below }: InputSpec, random: Random): HostArray {
  const draw = below === undefined ? () => mean + deviation * random.normal() : () => random.integer(below);
  const data = Float32Array.from({ length: product(shape) }, draw);
  return { shape, data };
}

/**
 * Floating-point operations, two for a multiply–accumulate; for layer norm five an element. A backward pass counts
 * twice the forward pass, whatever an engine computes again.
 */
export function caseFlops(shape: CaseShape): number {
  switch (shape.kind) {
    case 'matmul':
      return 2 * shape.m * shape.n * shape.k;
    case 'linear-gelu':
      return 2 * shape.rows * shape.inputs * shape.outputs;
    case 'mlp':
      return 4 * shape.rows * shape.width * shape.hidden;
    case 'layer-norm':
      return 5 * shape.rows * shape.width;
    case 'attention':
      return 4 * shape.groups * shape.heads * shape.rows ** 2 * shape.headDimension;
    case 'block':
      return (shape.part === 'forward' ? 2 : 6) * blockMacs(shape);
    case 'gpt':
      return 6 * gptMacs(shape);
  }
}
