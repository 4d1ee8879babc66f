import { Engine, type Tensor } from '@tubelet/autograd';
import type { Runtime } from '@tubelet/kernels';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { lgiFormer, type EncoderConfig } from '@tubelet/mae-dfer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelChart } from './chart.js';
import {
  measureModels,
  measureStep,
  requireTakenSteps,
  settleLossScale,
  type PhaseMeasurement,
} from './measure-model.js';
import { measureTrainer } from './measure-trainer.js';
import { formatModels, formatRatios, formatTrainer, type ModelRow } from './report.js';
import { buildWorkload, encoders, phases } from './workload.js';

// Of the size that tests of the model have, whose programs a software driver has compiled already.
const small: EncoderConfig = lgiFormer('tiny', {
  frames: 4,
  imageSize: 32,
  dim: 32,
  depth: 1,
  heads: 1,
  region: [1, 2, 2],
});

describe('bench:model', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await openNodeRuntime();
  });
  afterAll(() => closeNodeRuntime(runtime));

  it('counts one step of every part, and finds that a steady step creates nothing', async () => {
    const live = runtime.pool.liveBytes;
    const run = { encoder: small, task: 'finetune', batchSize: 2 } as const;
    const measured = await measureModels(runtime, [run, run], { steps: 2 });
    const { phases: parts, profile } = measured[0]!;
    expect(parts.map(({ phase }) => phase)).toEqual([...phases]);
    for (const part of parts) {
      expect(part).toMatchObject({ buffersCreated: 0, bindGroupsCreated: 0, pipelinesCreated: 0 });
      expect(Number.isInteger(part.dispatches)).toBe(true);
      expect(part.clipsPerSecond * part.seconds).toBeCloseTo(2);
      expect(part.javascriptMicroseconds).toBeGreaterThan(0);
      expect(part.replayMicroseconds).toBeGreaterThan(0);
      expect(part.ownMicroseconds).toBeGreaterThan(0);
    }
    const [forward, both, step] = parts as [PhaseMeasurement, PhaseMeasurement, PhaseMeasurement];
    // Two products of the same size for each of the forward pass, but for the data's own gradient.
    expect(both.gigaflops / forward.gigaflops).toBeGreaterThan(2);
    expect(step.dispatches).toBeGreaterThan(both.dispatches);
    expect(step.bytes).toBeGreaterThan(both.bytes);
    expect(forward.unfusedBytes).toBeUndefined();
    expect(step.unfusedBytes).toBeGreaterThan(both.unfusedBytes!);
    // The peak of a model is its own, though both are there.
    expect(await measureStep(runtime, run, { steps: 1 })).toBeGreaterThan(0);
    expect(measured[1]!.phases.map(({ peakBytes }) => peakBytes)).toEqual(
      parts.map(({ peakBytes }) => peakBytes),
    );
    expect(runtime.pool.peakBytes / step.peakBytes).toBeCloseTo(1, 2);
    if (runtime.hasFeature('timestamp-query')) expect(profile).toContain('adamw');
    expect(runtime.pool.liveBytes).toBe(live);
  });

  it('measures the steps of a run beside steps that are waited for', async () => {
    const run = { encoder: small, task: 'finetune', batchSize: 2 } as const;
    const measured = await measureTrainer(runtime, run, { rounds: 2, steps: 1 });
    expect(measured.benchSeconds).toBeGreaterThan(0);
    expect(measured.trainerSeconds).toBeGreaterThan(0);
    const row = {
      model: 'tiny',
      task: 'finetune',
      batchSize: 2,
      benchSeconds: 0.5,
      trainerSeconds: 0.4,
    } as const;
    expect(formatTrainer([row])).toMatch(/tiny +finetune +2 +4\.00 +5\.00 +1\.250$/);
  });

  it('measures steps whose blocks run again in the backward pass', async () => {
    const run = { encoder: { ...small, depth: 4 }, task: 'finetune', batchSize: 2 } as const;
    const [plain, again] = await measureModels(runtime, [run, { ...run, recompute: true }], { steps: 1 });
    const [forward, , step] = plain!.phases as [PhaseMeasurement, PhaseMeasurement, PhaseMeasurement];
    const [forwardAgain, , stepAgain] = again!.phases as [
      PhaseMeasurement,
      PhaseMeasurement,
      PhaseMeasurement,
    ];
    expect(forwardAgain).toMatchObject({ gigaflops: forward.gigaflops, dispatches: forward.dispatches });
    expect(stepAgain.gigaflops / step.gigaflops).toBeGreaterThan(1.2);
    expect(stepAgain.peakBytes).toBeLessThan(step.peakBytes);
    expect(stepAgain).toMatchObject({ buffersCreated: 0, bindGroupsCreated: 0, pipelinesCreated: 0 });
    expect(stepAgain.unfusedBytes).toBeUndefined();
  });

  it('measures steps under a loss scale where inputs may be rounded', async () => {
    const run = { encoder: small, task: 'finetune', batchSize: 2 } as const;
    const stepOf = async () => (await measureModels(runtime, [run], { steps: 1 }))[0]!.phases[2]!;
    const plain = await stepOf();
    runtime.precision = 'f16';
    try {
      const scaled = await stepOf();
      // Steps are decided on alike, and on an adapter without matrix units the rest is the same too.
      expect(scaled.dispatches).toBe(plain.dispatches);
      expect(scaled).toMatchObject({ buffersCreated: 0, bindGroupsCreated: 0, pipelinesCreated: 0 });
    } finally {
      runtime.precision = 'f32';
    }
  });

  it('takes steps until a loss scale fits, and refuses to time what is skipped later', async () => {
    let [steps, skipped] = [0, 1];
    const workload = { skippedSteps: () => Promise.resolve(skipped) };
    const takeStep = () => Promise.resolve(++steps <= 3 && skipped++);
    expect(await settleLossScale(workload, takeStep)).toBe(4);
    expect(steps).toBe(4);
    await requireTakenSteps(workload, 4);
    await expect(requireTakenSteps(workload, 3)).rejects.toThrow('gradients overflowed f16 in 1 steps');
    // One that never fits ends too.
    await settleLossScale(workload, () => Promise.resolve(skipped++));
    expect(skipped).toBe(32);
  });

  it('replays the same step that it records, kernel for kernel', async () => {
    const engine = new Engine(runtime);
    for (const task of ['pretrain', 'finetune'] as const) {
      const workload = buildWorkload(engine, small, { task, batchSize: 2 });
      for (const phase of phases) {
        const dispatches: number[] = [];
        const losses: number[] = [];
        const run = (record: () => Tensor | Promise<Tensor>) =>
          engine.step(async () => {
            const before = runtime.counters.dispatches;
            const loss = await record();
            dispatches.push(runtime.counters.dispatches - before);
            losses.push(await loss.item());
          });
        await run(() => workload.record(phase));
        for (let i = 0; i < 3; i++) await run(() => workload.replay(phase));
        expect(new Set(dispatches).size, `${task}, ${phase}`).toBe(1);
        expect(losses.every(Number.isFinite)).toBe(true);
        // Each step of pre-training draws other masks.
        if (task === 'finetune' && phase !== 'step') expect(new Set(losses).size).toBe(1);
      }
      workload.release();
    }
  });

  it('compares LGI-Former base with ViT-B where both ran', () => {
    const part = { phase: 'step', seconds: 1, gigaflops: 62 } as PhaseMeasurement;
    const rows: ModelRow[] = [
      { model: 'base', task: 'finetune', batchSize: 1, phases: [part] },
      { model: 'base', task: 'pretrain', batchSize: 1, phases: [part] },
      {
        model: 'vit-base',
        task: 'finetune',
        batchSize: 1,
        phases: [{ ...part, seconds: 2, gigaflops: 100 }],
      },
      { model: 'base', task: 'finetune', batchSize: 4, phases: [part] },
    ];
    expect(formatRatios(rows)).toEqual([
      'base / vit-base, finetune, 1 clips, step: 0.50 of the time, 0.62 of the operations (−19 %)',
    ]);
  });

  it('draws a bar for every part', () => {
    const part = { phase: 'forward', clipsPerSecond: 12.34 } as PhaseMeasurement;
    const rows: ModelRow[] = [{ model: 'tiny', task: 'pretrain', batchSize: 2, phases: [part] }];
    const svg = modelChart(rows, 'some <adapter>');
    expect(svg).toContain('tiny, pretrain, 2');
    expect(svg).toContain('>12.3<');
    expect(svg).toContain('some &lt;adapter&gt;');
  });

  it('prints a line for every part', async () => {
    const part: PhaseMeasurement = {
      phase: 'forward',
      seconds: 0.5,
      clipsPerSecond: 4,
      gigaflops: 10,
      bytes: 2e9,
      unfusedBytes: 1.6e9,
      dispatches: 7,
      submits: 3,
      buffersCreated: 0,
      bindGroupsCreated: 0,
      pipelinesCreated: 0,
      peakBytes: 5e6,
      javascriptMicroseconds: 9.5,
      replayMicroseconds: 2.5,
      ownMicroseconds: 0.2,
      uploadMilliseconds: 1.2,
    };
    const table = formatModels([{ model: 'tiny', task: 'pretrain', batchSize: 2, phases: [part] }]);
    expect(table.split('\n')[1]!.split(/ {2,}/)).toEqual([
      'tiny',
      'pretrain',
      '2',
      'forward',
      '0.500',
      '4.00',
      '20.0',
      '2.000',
      '1.25×',
      '7',
      '3',
      '9.5',
      '2.5',
      '0.20',
      '1.20',
      '0',
      '0',
      '5',
    ]);
    expect(Object.keys(encoders)).toEqual(['tiny', 'small', 'base', 'vit-base']);
  });
});
