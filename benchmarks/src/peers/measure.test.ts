import { closeGpu } from '@tubelet/kernels/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { caseInputs, type CaseShape, type PeerCase } from './cases.js';
import type { EngineProcess } from './engine-process.js';
import { EngineProcessError } from './engine-process.js';
import type { Engine, Outputs } from './engine.js';
import { engines, OWN_ENGINE } from './engines.js';
import { openTubelet } from './engines/tubelet.js';
import { measurePeerCase } from './measure.js';
import type { PeerRequest } from './protocol.js';
import { expectedOutputs, worstError, type Expected } from './reference.js';

const block = { kind: 'block', regions: 2, locals: 3, width: 32, heads: 2 } as const;
const shapes: readonly (readonly [CaseShape, tolerance: number])[] = [
  [{ kind: 'matmul', m: 9, n: 12, k: 20 }, 1e-5],
  [{ kind: 'linear-gelu', rows: 5, inputs: 8, outputs: 12 }, 1e-5],
  [{ kind: 'mlp', rows: 5, width: 8, hidden: 16 }, 1e-5],
  [{ kind: 'layer-norm', rows: 5, width: 24 }, 1e-5],
  [{ kind: 'attention', groups: 2, rows: 7, heads: 2, headDimension: 8 }, 1e-5],
  [{ ...block, part: 'forward' }, 1e-5],
  [{ ...block, part: 'forward+backward' }, 1e-4],
  [{ ...block, part: 'step' }, 1e-3],
  [{ kind: 'gpt', batch: 2, context: 5, letters: 7, width: 32, heads: 2, depth: 2 }, 1e-3],
];

describe('Tubelet as one of the engines', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await openTubelet('this checkout');
  });
  afterAll(() => closeGpu());

  it.each(shapes)('does %o as double precision does', async (shape, tolerance) => {
    const expected = expectedOutputs(shape);
    const methods = engine.methods(shape) as readonly string[];
    for (const method of methods) await check(engine, shape, method, expected, tolerance);
  });
});

async function check(
  engine: Engine,
  shape: CaseShape,
  method: string,
  expected: Expected,
  tolerance: number,
) {
  const isStep = shape.kind === 'gpt' || (shape.kind === 'block' && shape.part === 'step');
  const prepared = await engine.prepare(shape, caseInputs(shape), method);
  await prepared.run();
  await prepared.finish();
  const outputs = await prepared.read();
  expect(Object.keys(outputs).sort()).toEqual(Object.keys(expected).sort());
  expect(worstError(outputs, expected).error).toBeLessThan(tolerance);
  // Later runs go on: only a training step may change what comes out.
  for (let i = 0; i < 3; i++) await prepared.run();
  await prepared.finish();
  const later = worstError(await prepared.read(), expected).error;
  if (isStep) expect(later).toBeGreaterThan(0.1);
  else expect(later).toBeLessThan(tolerance);
  await prepared.release();
}

/** An engine that answers at once: its results, and the seconds of its successive rounds. */
function fake(name: string, answers: { outputs?: Outputs; reason?: string; failsInRound?: number }) {
  const entry = engines.find((engine) => engine.name === name)!;
  const asked: string[] = [];
  let timed = 0;
  const process = {
    entry,
    isRunning: true,
    open: async () => undefined,
    close: () => undefined,
    async ask(request: PeerRequest) {
      asked.push(request.kind);
      if (request.kind === 'methods') return answers.reason ? { reason: answers.reason } : ['plain'];
      if (request.kind === 'prepare') return answers.outputs;
      if (request.kind !== 'time') return null;
      // Two requests calibrate.
      if (timed++ === 2 + (answers.failsInRound ?? Infinity)) throw new EngineProcessError('device lost');
      return 0.002;
    },
  };
  return { process: process as unknown as EngineProcess, asked };
}

describe('the rounds', () => {
  const peerCase: PeerCase = {
    name: 'sum',
    shape: { kind: 'matmul', m: 1, n: 1, k: 500_000 },
    tolerance: 1e-5,
  };
  const expected = { y: Float64Array.of(2) };
  const right = { outputs: { y: Float32Array.of(2) } };
  const options = { rounds: 3, batchMs: 10 };

  it('give the median, the rate and the verdict on the numbers', async () => {
    const own = fake(OWN_ENGINE, right);
    const wrong = fake('jax-js WebGPU', { outputs: { y: Float32Array.of(2.5) } });
    const results = await measurePeerCase([own.process, wrong.process], peerCase, options, expected);
    expect(results).toMatchObject([
      { engine: OWN_ENGINE, role: 'own', outcome: { status: 'right', rounds: [0.002, 0.002, 0.002] } },
      { engine: 'jax-js WebGPU', role: 'peer', outcome: { status: 'wrong', error: 0.25, worstOutput: 'y' } },
    ]);
    expect(results[0]!.outcome).toMatchObject({ seconds: 0.002, gigaflopsPerSecond: 0.5 });
    expect(own.asked).toEqual(['methods', 'prepare', 'time', 'time', 'time', 'time', 'time', 'release']);
  });

  it('report engines that cannot do a case, or fail on the way', async () => {
    const unable = fake('onnxruntime-web WebGPU', { reason: 'no autodiff' });
    const failing = fake('tfjs WebGPU', { ...right, failsInRound: 1 });
    const results = await measurePeerCase([unable.process, failing.process], peerCase, options, expected);
    expect(results.map(({ engine, outcome }) => [engine, outcome])).toEqual([
      ['onnxruntime-web WebGPU', { status: 'absent', reason: 'no autodiff' }],
      ['tfjs WebGPU', { status: 'absent', reason: 'device lost' }],
    ]);
  });
});
