import { RecordingError, type GpuArray } from '@tubelet/kernels';
import { describe, expect, it } from 'vitest';
import { gelu } from '../ops/gelu.js';
import { useEngine } from '../testing/test-engine.js';
import { TinyTransformer } from '../testing/tiny-transformer.js';
import { RecordedStep, type StepTensors } from './recorded-step.js';

describe('RecordedStep', () => {
  const engine = useEngine();
  const runtime = () => engine().runtime;

  async function withModel(body: (model: TinyTransformer) => Promise<void>): Promise<void> {
    const model = new TinyTransformer(engine(), 1);
    try {
      await body(model);
    } finally {
      model.release();
    }
  }

  /** Forward, backward and norm of the gradient, as a program would record them. */
  const recorded = (model: TinyTransformer) =>
    new RecordedStep(engine(), (inputs: StepTensors<'x' | 'target'>) => {
      const loss = model.loss(inputs);
      loss.backward({ scale: 0.5 });
      return { loss: loss.array, norm: model.optimiser.gradientNorm() };
    });

  /** All losses and norms of `steps` steps of two batches each, and the weights that come out. */
  async function train(model: TinyTransformer, steps: number, step: RecordedStep<'x' | 'target', Outputs>) {
    const seen: number[] = [];
    for (let number = 0; number < steps; number++) {
      for (const half of [0, 1]) {
        const { loss, norm } = step.run(model.data((2 * number + half) % 5));
        seen.push(...(await runtime().read(loss)), ...(await runtime().read(norm)));
      }
      model.optimiser.step({ learningRate: 0.01 / (1 + number) });
    }
    return { seen, weights: await model.weights() };
  }

  it('takes arrays that are filled anew for each step as it takes data from the host', async () => {
    let expected: Awaited<ReturnType<typeof train>> | undefined;
    await withModel(async (model) => void (expected = await train(model, 3, recorded(model))));
    await withModel(async (model) => {
      const step = recorded(model);
      const { x } = model.data(0);
      const array = runtime().keep(runtime().empty(x.shape));
      const filling = Object.assign(step, {
        run: (inputs: ReturnType<typeof model.data>) => {
          runtime().write(array, inputs.x.data);
          return RecordedStep.prototype.run.call(step, { ...inputs, x: array }) as Outputs;
        },
      });
      expect(await train(model, 3, filling)).toEqual(expected);
      expect(step.recordings).toBe(2);
      step.release();
      runtime().release(array);
    });
  });

  it('gives the bits of the unrecorded step over 30 steps of two accumulated batches', async () => {
    let expected: Awaited<ReturnType<typeof train>> | undefined;
    await withModel(async (model) => {
      const seen: number[] = [];
      for (let number = 0; number < 30; number++) {
        for (const half of [0, 1]) {
          await engine().step(
            async (batch) => {
              const loss = model.loss(batch);
              loss.backward({ scale: 0.5 });
              const norm = runtime().read(model.optimiser.gradientNorm());
              seen.push(await loss.item(), ...(await norm));
            },
            { inputs: model.data((2 * number + half) % 5) },
          );
        }
        model.optimiser.step({ learningRate: 0.01 / (1 + number) });
      }
      expected = { seen, weights: await model.weights() };
    });
    await withModel(async (model) => {
      const step = recorded(model);
      const actual = await train(model, 30, step);
      expect(step.recordings, 'one that overwrites gradients, one that adds to them').toBe(2);
      expect(actual).toEqual(expected);
      expect(new Set(actual.seen).size).toBeGreaterThan(60);
      step.release();
    });
  });

  it('makes nothing anew when it is replayed, and counts what it does', () =>
    withModel(async (model) => {
      const step = recorded(model);
      await train(model, 2, step);
      const { pool, counters, ledger } = runtime();
      const before = { ...counters, buffers: pool.createdBuffers, liveBytes: pool.liveBytes };
      ledger.reset();
      pool.resetPeak();
      await train(model, 1, step);
      const dispatches = counters.dispatches - before.dispatches;
      let calls = 0;
      for (const entry of ledger.entries().values()) calls += entry.calls;
      expect(calls).toBe(dispatches);
      expect(dispatches).toBeGreaterThan(60);
      expect(pool.createdBuffers).toBe(before.buffers);
      expect(counters.bindGroupsCreated).toBe(before.bindGroupsCreated);
      expect(counters.pipelinesCreated).toBe(before.pipelinesCreated);
      expect(pool.liveBytes).toBe(before.liveBytes);
      expect(pool.peakBytes, 'no memory is taken, not even for a while').toBe(before.liveBytes);
      step.release();
    }));

  it('shares no memory with other work between its steps, and gives it back when released', () =>
    withModel(async (model) => {
      const { pool } = runtime();
      pool.trim();
      const [liveBytes, reservedBytes] = [pool.liveBytes, pool.reservedBytes];
      const step = recorded(model);
      const first = await train(model, 3, step);
      const { loss } = step.run(model.data(0));
      const [value] = await runtime().read(loss);
      // Other work that takes all memory it can get, and keeps some of it.
      const others = Array.from({ length: 40 }, (_, i) =>
        runtime().keep(runtime().upload(new Float32Array(16 * (i + 1)).fill(7), [16 * (i + 1)])),
      );
      await engine().step(
        (batch) =>
          engine()
            .noGrad(() => model.loss(batch))
            .item(),
        { inputs: model.data(3) },
      );
      expect((await runtime().read(loss))[0], 'results wait for the next step').toBe(value);
      step.run(model.data(0));
      for (const other of others) {
        expect(await runtime().read(other)).toEqual(new Float32Array(other.size).fill(7));
        runtime().release(other);
      }
      expect(first.seen.every(Number.isFinite)).toBe(true);
      model.store.zeroGradients();
      step.release();
      pool.trim();
      expect(pool.liveBytes).toBe(liveBytes);
      expect(pool.reservedBytes).toBe(reservedBytes);
    }));

  it('records other shapes anew, and finds the first ones again', async () => {
    const step = new RecordedStep(engine(), ({ x }: StepTensors<'x'>) => gelu(x).array);
    const run = (rows: number, value = 2) =>
      runtime().read(step.run({ x: { data: new Float32Array(rows).fill(value), shape: [rows] } }));
    for (let round = 0; round < 4; round++) {
      for (const rows of [2, 3]) {
        const y = await run(rows, round);
        expect(y).toEqual(new Float32Array(rows).fill(y[0]!));
        expect(y[0]).toBeCloseTo([0, 0.8413, 1.9545, 2.996][round]!, 3);
      }
    }
    expect(step.recordings).toBe(2);
    const { liveBytes } = runtime().pool;
    for (let rows = 4; rows < 24; rows++) await run(rows);
    expect(step.recordings, 'shapes that go on changing are not recorded').toBeLessThanOrEqual(2);
    expect(runtime().pool.liveBytes - liveBytes, 'nor are their inputs kept').toBeLessThanOrEqual(6 * 256);
    step.release();
  });

  it('times replayed kernels one by one, where there are timestamps', () =>
    withModel(async (model) => {
      const step = recorded(model);
      await train(model, 2, step);
      if (!runtime().startProfiling()) return;
      const { dispatches } = runtime().counters;
      step.run(model.data(0));
      const expected = runtime().counters.dispatches - dispatches;
      const profile = await runtime().stopProfiling();
      expect(profile.reduce((sum, { calls }) => sum + calls, 0)).toBe(expected);
      step.release();
      model.store.zeroGradients();
    }));

  const forbidden: readonly [string, (array: GpuArray) => unknown][] = [
    ['upload', () => runtime().upload(Float32Array.of(1), [1])],
    ['write', (array) => runtime().write(array, new Float32Array(array.size))],
    ['release', (array) => runtime().release(array)],
    ['keep', () => runtime().keep(runtime().empty([1]))],
  ];
  it.each(forbidden)('refuses %s in its body, which would not be repeated', async (action, act) => {
    const other = runtime().keep(runtime().empty([4]));
    let isFirst = true;
    const step = new RecordedStep(engine(), () => {
      if (!isFirst) act(other);
      isFirst = false;
    });
    step.run({});
    expect(() => step.run({})).toThrow(RecordingError);
    expect(() => step.run({})).toThrow(`${action}() inside a recorded step would not happen again`);
    // The failure leaves no recording open.
    runtime().write(other, new Float32Array(4));
    expect([...(await runtime().read(other))]).toEqual([0, 0, 0, 0]);
    step.release();
    runtime().release(other);
  });

  it('refuses to read in its body, and to wait', async () => {
    const other = runtime().keep(runtime().upload(Float32Array.of(1), [1]));
    let reading: Promise<unknown> | undefined;
    const reader = new RecordedStep(engine(), () => {
      reading = runtime().read(other);
    });
    reader.run({});
    await reading;
    reader.run({});
    await expect(reading).rejects.toThrow(RecordingError);
    const waiting = new RecordedStep(engine(), () => Promise.resolve(1));
    expect(() => waiting.run({})).toThrow('must not wait');
    runtime().release(other);
  });
});

interface Outputs {
  readonly loss: GpuArray;
  readonly norm: GpuArray;
}
