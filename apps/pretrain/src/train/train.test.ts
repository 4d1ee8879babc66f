import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { readRunConfig } from '@tubelet/trainer';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { writeDataSet, type DataSet } from '../testing/data-set.js';
import {
  checkpointsOf,
  fail,
  finalDigest,
  logOf,
  options,
  run,
  stepsOf,
  succeed,
  TINY_MODEL,
} from '../testing/program.js';

// Five entries, two of them bad, each twice an epoch: 5 steps of 2 clips.
const STEPS = 40;
const SETTINGS = {
  ...TINY_MODEL,
  'clips-per-video': 2,
  augmentation: 'none',
  'batch-size': 2,
  epochs: 8,
  'warmup-epochs': 1,
  lr: 0.5,
  'min-lr': 0.001,
};

let folder = '';
let data: DataSet;
let first: Awaited<ReturnType<typeof succeed>>;
const at = (...names: string[]) => join(folder, ...names);
const command = (out: string, changes: Parameters<typeof options>[0] = {}) => [
  'pretrain',
  data.folder,
  ...options({ ...SETTINGS, out: at(out), ...changes }),
];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tubelet-train-'));
  data = await writeDataSet(at('videos'));
  first = await succeed(command('first', { workers: 1 }));
});
afterAll(() => rm(folder, { recursive: true }));

function meanLoss(steps: ReturnType<typeof stepsOf>): number {
  return steps.reduce((sum, { metrics }) => sum + metrics.loss!, 0) / steps.length;
}

describe('a run', () => {
  it('learns, and logs every step', () => {
    const steps = stepsOf(at('first'));
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: STEPS }, (_, i) => i + 1));
    for (const { metrics } of steps) {
      const { loss, 'loss/appearance': appearance, 'loss/motion': motion } = metrics;
      expect(loss).toBeCloseTo((appearance! + motion!) / 2, 4);
      expect(metrics['gradient norm']).toBeGreaterThan(0);
    }
    const [start, end] = [meanLoss(steps.slice(0, 10)), meanLoss(steps.slice(-10))];
    expect(end).toBeLessThan(0.7 * start);
    // The warm-up rises from 0 to the peak, scaled from 256 clips to 2; then the cosine falls.
    const rates = steps.map(({ metrics }) => metrics.lr!);
    const peak = (0.5 * 2) / 256;
    expect([rates[0], rates[4]]).toEqual([0, peak]);
    expect(rates.slice(6).every((rate, i) => rate < rates[i + 5]!)).toBe(true);
  });

  it('names the files that it cannot use, on the terminal and in the log, and goes on', () => {
    const bad = logOf(at('first')).filter(({ type }) => type === 'bad-file');
    expect(bad.map(({ path }) => path).sort()).toEqual([data.textFile, data.truncated, data.notes].sort());
    const reason = Object.fromEntries(bad.map(({ path, reason }) => [path, reason as string]));
    expect(reason[data.truncated]).toMatch(/cut short/);
    expect(reason[data.notes]).toMatch(/neither a video nor a frame/);
    for (const { path } of bad) expect(first.stderr).toContain(path);
    expect(first.stdout).toContain('left out    3 files');
  });

  it('says where it stands and what it leaves', async () => {
    expect(first.stderr).toMatch(
      /lgi-former with \d+\.\d\d M parameters on .+\nsamples: 10, steps an epoch: 5/,
    );
    expect(first.stderr).toMatch(
      /^step 40\/40 {2}epoch 8 {2}loss .* clips\/s {2}waited \d+ ms for data, \d+ for the GPU {2}ETA 0s$/m,
    );
    expect(first.stdout).toMatch(/^finished after 40 of 40 steps$/m);
    expect(first.stdout).toContain(checkpointsOf(at('first')).at(-1));
    expect(first.stdout).toMatch(/^peak memory [\d.]+ MiB on the GPU$/m);
    const memory = logOf(at('first')).find(({ type }) => type === 'memory');
    expect(memory?.peakGpuBytes).toBeGreaterThan(1e6);
    for (const name of ['report.html', 'config.json'])
      expect((await stat(at('first', name))).size).toBeGreaterThan(500);
  });

  it('writes down what is needed to repeat it', async () => {
    const config = JSON.parse(await readFile(at('first', 'config.json'), 'utf8')) as Record<string, unknown>;
    expect(config).toMatchObject({
      program: 'pretrain',
      commandLine: command('first', { workers: 1 }),
      settings: {
        sources: [data.folder],
        dim: 32,
        region: [2, 2, 2],
        maskRatio: 0.5,
        weightDecay: 0.05,
        lossWeight: 0.5,
        seed: 0,
        precision: 'f32',
        clipsPerStep: 2,
        segmentSeconds: null,
      },
      versions: { node: process.versions.node, webgpu: expect.any(String), ffmpeg: expect.any(String) },
      adapter: { description: expect.any(String), features: expect.any(Array) },
    });
  });

  it('shows in TensorBoard how a video is reconstructed that it does not train on, to the same bytes', async () => {
    const watch = join(data.folder, 'good-1.mp4');
    await succeed(command('watched', { watch, 'watch-every': 4, workers: 1 }));
    const [events] = (await readdir(at('watched'))).filter((name) => name.startsWith('events.out'));
    const bytes = await readFile(at('watched', events!));
    // The start of a PNG file: one picture after the fourth epoch, one after the eighth.
    expect(bytes.toString('latin1').split('\x89PNG').length - 1).toBe(2);
    expect(finalDigest(at('watched'))).toBe(finalDigest(at('first')));
    expect(await fail(command('unseen', { watch: data.textFile }), 1)).toContain(data.textFile);
  });

  it('gives the same bytes with other threads and under --profile, and other numbers with another seed', async () => {
    const trace = at('trace.json');
    const { stdout } = await succeed(command('again', { workers: 3, profile: true, trace }));
    expect(stdout).toMatch(/^steps 2 to 40\nkernel +calls +time ms .*^matmul +\d+ .*^total /ms);
    expect(finalDigest(at('again'))).toBe(finalDigest(at('first')));
    const events = JSON.parse(await readFile(trace, 'utf8')) as { name: string; ts: number; dur: number }[];
    for (const name of ['step 40', 'step 1, batch 1', 'checkpoint', 'matmul', 'adamw'])
      expect(events.filter((event) => event.name === name).length, name).toBeGreaterThan(0);
    await succeed(command('other', { seed: 1, 'stop-after': 1 }));
    expect(stepsOf(at('other'))[0]!.metrics).not.toEqual(stepsOf(at('first'))[0]!.metrics);
  });

  it('is not written over by another', async () => {
    const before = finalDigest(at('first'));
    expect(await fail(command('first'), 1)).toContain('already holds a run');
    expect(finalDigest(at('first'))).toBe(before);
  });

  it('skips steps that diverge and ends after ten in a row, with the checkpoints from before', async () => {
    const message = await fail(command('diverged', { lr: 1e38, 'warmup-epochs': 0, 'save-every': 1 }), 1);
    expect(message).toMatch(
      /training has diverged: in step 1[0-3] .*9 steps before it, which were skipped.*--lr/,
    );
    const [record] = logOf(at('diverged')).slice(-1);
    expect(record).toMatchObject({ type: 'error', message: expect.stringContaining('diverged') });
    expect(checkpointsOf(at('diverged')).at(-1)).toContain(`${record!.step}.safetensors`);
  });

  it('in f16 uses what the GPU has for it and writes that down; where it has none, says so and begins nothing', async () => {
    const { exitCode, stderr, stdout } = await run(command('half', { precision: 'f16', 'stop-after': 3 }));
    if (exitCode !== 0) {
      expect(stderr).toMatch(/^error: --precision f16: f16 cannot be stored on .*: it lacks shader-f16/m);
      await expect(stat(at('half'))).rejects.toThrow('ENOENT');
      return;
    }
    expect(stdout).toMatch(/^skipped +\d+ of 3 steps, whose gradients overflowed; the loss scale is \d+$/m);
    const { settings, f16Variants } = readRunConfig(at('half'));
    expect(settings.precision).toBe('f16');
    expect(f16Variants).toBeInstanceOf(Array);
    expect(stepsOf(at('half')).at(-1)!.metrics).toHaveProperty('loss scale');
  });

  it('says what to do where there is no GPU, and begins nothing', async () => {
    vi.stubEnv('TUBELET_VULKAN', 'system');
    vi.stubEnv('VK_DRIVER_FILES', '/dev/null');
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await fail(command('nowhere'), 1)).toMatch(/No WebGPU adapter was found[^]*doctor/);
    await expect(stat(at('nowhere'))).rejects.toThrow('ENOENT');
  });
});

describe('reconstruct', () => {
  it('shows what the trained model makes of a video', async () => {
    const settings = {
      checkpoint: at('first'),
      out: at('picture.png'),
      'mask-ratios': 0.5,
      'no-captions': true,
    } as const;
    const { stdout } = await succeed(['reconstruct', join(data.folder, 'good-1.mp4'), ...options(settings)]);
    expect(stdout).toContain(at('picture.png'));
    // The frame step of the training, not the paper's.
    expect(stdout).toContain('frame step 1, crop centre, mask type window');
    expect(await sharp(at('picture.png')).metadata()).toMatchObject({ format: 'png', width: 4 * 32 + 3 * 2 });
  });

  it('refuses a file that is not a video, and leaves no picture', async () => {
    const settings = { checkpoint: checkpointsOf(at('first')).at(-1)!, out: at('none.png') };
    expect(await fail(['reconstruct', data.textFile, ...options(settings)], 1)).toContain(data.textFile);
    await expect(stat(at('none.png'))).rejects.toThrow('ENOENT');
  });
});
