import { blockReference } from './block-reference.js';
import { caseInputs, STEP, type BlockCase, type CaseShape, type GptCase, type HostTensors } from './cases.js';
import { gradientName, trainedNames, updateName } from './engine.js';
import { Float64Tape, type Value } from './float64-tape.js';
import { gptReference } from './gpt-reference.js';

/** Expected results by name. */
export type Expected = Readonly<Record<string, Float64Array>>;

/** What a case should give for `caseInputs`, in double precision. */
export function expectedOutputs(shape: CaseShape): Expected {
  if (shape.kind === 'block') return blockExpected(shape);
  if (shape.kind === 'gpt') return gptExpected(shape);
  const tape = new Float64Tape();
  const values = toValues(caseInputs(shape));
  const at = (name: string) => values[name]!;
  switch (shape.kind) {
    case 'matmul':
      return { y: tape.product(at('a'), at('b'), { n: shape.n }).data };
    case 'linear-gelu': {
      const product = tape.product(at('x'), at('weight'), { n: shape.outputs, bias: at('bias') });
      return { y: tape.gelu(product).data };
    }
    case 'mlp': {
      const { width, hidden } = shape;
      const up = tape.product(at('x'), at('fc1Weight'), { n: hidden, bias: at('fc1Bias') });
      const down = tape.product(tape.gelu(up), at('fc2Weight'), { n: width, bias: at('fc2Bias') });
      return { y: tape.add(down, at('x')).data };
    }
    case 'layer-norm': {
      const { rows: tokens, width: columns } = shape;
      const rows = { batch: 1, regions: 1, tokens, columns, view: 'all' };
      return {
        y: tape.apply('layer-norm', rows, { x: at('x'), weight: at('weight'), bias: at('bias') }).data,
      };
    }
    case 'attention': {
      const { groups, rows, heads, headDimension } = shape;
      const extents = { groups, queries: rows, keys: rows, heads, headDimension };
      return { y: tape.apply('attention', extents, { q: at('q'), k: at('k'), v: at('v') }).data };
    }
  }
}

function toValues(inputs: HostTensors): Readonly<Record<string, Value>> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { data }]) => [name, { data: Float64Array.from(data) }]),
  );
}

/** Everything that the parts of a block give: they share their inputs, and the backward pass takes a while. */
interface BlockResult {
  readonly key: string;
  readonly inputs: HostTensors;
  readonly y: Float64Array;
  /** `x` and the parameters with their gradients. */
  readonly values: Readonly<Record<string, Value>>;
}

let latestBlock: BlockResult | undefined;

function blockResult({ regions, locals, width, heads }: BlockCase): BlockResult {
  const key = [regions, locals, width, heads].join(' ');
  if (latestBlock?.key === key) return latestBlock;
  const shape = { regions, locals, width, heads };
  const inputs = caseInputs({ kind: 'block', part: 'forward', ...shape });
  const values = toValues(inputs);
  const tape = new Float64Tape();
  const y = blockReference(tape, shape, values);
  const target = values['target']!.data;
  tape.backward(
    y,
    y.data.map((value, i) => (2 * (value - target[i]!)) / target.length),
  );
  return (latestBlock = { key, inputs, y: y.data, values });
}

function blockExpected(shape: BlockCase): Expected {
  const { inputs, y, values } = blockResult(shape);
  if (shape.part === 'forward') return { y };
  const gradientOf = (name: string) => values[name]!.gradient!;
  const trained = trainedNames(inputs);
  if (shape.part === 'forward+backward') {
    return Object.fromEntries(['x', ...trained].map((name) => [gradientName(name), gradientOf(name)]));
  }
  return firstUpdates(trained, values);
}

function gptExpected(shape: GptCase): Expected {
  const inputs = caseInputs(shape);
  const values = toValues(inputs);
  const tape = new Float64Tape();
  const { logits, gradient } = gptReference(tape, shape, values);
  tape.backward(logits, gradient);
  return firstUpdates(trainedNames(inputs), values);
}

function firstUpdates(trained: readonly string[], values: Readonly<Record<string, Value>>): Expected {
  return Object.fromEntries(
    trained.map((name) => {
      const { data, gradient } = values[name]!;
      return [updateName(name), firstUpdate(data, gradient!)];
    }),
  );
}

/** (after − before) / learning rate of AdamW's first step, whose corrected moments are g and g². */
function firstUpdate(parameter: Float64Array, gradient: Float64Array): Float64Array {
  return parameter.map((value, i) => {
    const g = gradient[i]!;
    return -STEP.weightDecay * value - g / (Math.abs(g) + STEP.epsilon);
  });
}

/** Largest |actual − expected| over the largest |expected|; Infinity for values that are missing or not finite. */
export function relativeError(actual: ArrayLike<number> | undefined, expected: ArrayLike<number>): number {
  if (actual?.length !== expected.length) return Infinity;
  let difference = 0;
  let scale = 0;
  for (let i = 0; i < expected.length; i++) {
    const distance = Math.abs(actual[i]! - expected[i]!);
    if (!Number.isFinite(distance)) return Infinity;
    difference = Math.max(difference, distance);
    scale = Math.max(scale, Math.abs(expected[i]!));
  }
  return scale === 0 ? difference : difference / scale;
}

/** The worst `relativeError` of all expected outputs, and which one has it. */
export function worstError(
  actual: Readonly<Record<string, ArrayLike<number>>>,
  expected: Expected,
): { readonly error: number; readonly output: string } {
  let worst = { error: 0, output: Object.keys(expected)[0] ?? '' };
  for (const [output, values] of Object.entries(expected)) {
    const error = relativeError(actual[output], values);
    if (error > worst.error) worst = { error, output };
  }
  return worst;
}
