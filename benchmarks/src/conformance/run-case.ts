import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { concat, type Engine, type Tensor } from '@tubelet/autograd';
import { NodeInputs, NotCoveredError } from './node-inputs.js';
import { readModel, readTensor, type OnnxModel, type OnnxTensor } from './onnx-file.js';
import { operators } from './operators.js';

/** What became of one case. */
export interface CaseResult {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'not covered';
  /** Why it failed or is not covered. */
  readonly reason?: string;
  /** Largest |out − expected| / max(1, max |expected|) of all outputs. */
  readonly error?: number;
}

/** Largest error with which a case passes. */
export const TOLERANCE = 1e-5;

/** Folders of a directory that hold a case: a model with a first set of data. */
export function findCases(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, 'model.onnx')))
    .map(({ name }) => join(folder, name))
    .sort();
}

/** Runs one case with all its sets of data. */
export async function runCase(engine: Engine, folder: string): Promise<CaseResult> {
  const name = basename(folder);
  try {
    const model = readModel(readFileSync(join(folder, 'model.onnx')));
    let error = 0;
    for (const set of readdirSync(folder).filter((entry) => entry.startsWith('test_data_set_'))) {
      error = Math.max(error, await runSet(engine, model, join(folder, set)));
    }
    return error <= TOLERANCE
      ? { name, outcome: 'passed', error }
      : { name, outcome: 'failed', reason: `the largest error is ${error.toExponential(1)}`, error };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { name, outcome: error instanceof NotCoveredError ? 'not covered' : 'failed', reason };
  }
}

/** The largest error of the outputs on one set of data. */
async function runSet(engine: Engine, model: OnnxModel, folder: string): Promise<number> {
  const tensors = (prefix: string) =>
    readdirSync(folder)
      .filter((file) => file.startsWith(prefix))
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
      .map((file) => readTensor(readFileSync(join(folder, file))));
  const inputs = tensors('input_');
  const expected = tensors('output_');
  requireCovered(model, inputs, expected);
  return engine.step(async () => {
    const values = new Map<string, OnnxTensor | Tensor>();
    for (const constant of model.constants) values.set(constant.name, constant);
    model.inputs.forEach((name, i) => inputs[i] && values.set(name, inputs[i]));
    for (const node of model.nodes) {
      const results = [operators[node.operator]!(new NodeInputs(engine, node, values))].flat() as Tensor[];
      node.outputs.forEach((output, i) => results[i] && values.set(output, results[i]));
    }
    let error = 0;
    for (const [i, name] of model.outputs.entries()) {
      const output = values.get(name);
      if (!output || !('engine' in output)) throw new NotCoveredError(`output ${name}`);
      error = Math.max(error, await errorOf(engine, output, expected[i]!));
    }
    return error;
  });
}

function requireCovered(
  model: OnnxModel,
  inputs: readonly OnnxTensor[],
  expected: readonly OnnxTensor[],
): void {
  for (const { operator } of model.nodes) {
    if (!(operator in operators)) throw new NotCoveredError(`operator ${operator}`);
  }
  const isReal = ({ type }: OnnxTensor) => type.startsWith('float');
  if ([...inputs.filter(isReal), ...expected].some(({ shape }) => shape.includes(0))) {
    throw new NotCoveredError('empty tensors');
  }
  const whole = expected.find(({ type }) => type.startsWith('int') || type.startsWith('uint'));
  if (whole) throw new NotCoveredError(`results of whole numbers (${whole.type})`);
}

async function errorOf(engine: Engine, output: Tensor, { shape, data }: OnnxTensor): Promise<number> {
  if (output.shape.join() !== shape.join()) {
    throw new Error(`the result is ${output}, expected was [${shape.join(', ')}]`);
  }
  // Parts of a tensor are views; reading wants their elements side by side.
  const packed = output.array.isContiguous ? output : engine.noGrad(() => concat([output], 0));
  const values = await packed.read();
  const scale = data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
  let worst = 0;
  values.forEach((value, i) => {
    const difference = value === data[i] ? 0 : Math.abs(value - data[i]!);
    if (!(difference <= worst)) worst = Number.isNaN(difference) ? Infinity : difference;
  });
  return worst / scale;
}
