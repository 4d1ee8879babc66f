import { describe, expect, it } from 'vitest';
import { NoReadableVideoError, VideoDecodeError } from '../errors.js';
import { Catalogue } from '../loader/catalogue.js';
import type { DecoderPool } from '../loader/pool.js';
import { EpochSamples, type EpochSamplesOptions } from './epoch-samples.js';

/** Some 1,000 samples; shards of uneven sizes, two of them empty or single. */
const SHARD_SAMPLES = [130, 1, 257, 0, 90, 333, 64, 128];
const SAMPLES = SHARD_SAMPLES.reduce((sum, samples) => sum + samples, 0);
const CLIPS_PER_STEP = 24;

const plain = { sampleCount: SAMPLES, seed: 9, dropLast: true };
const inShards = {
  ...plain,
  shards: { shardSamples: SHARD_SAMPLES, clipsPerStep: CLIPS_PER_STEP, bufferSize: 16 },
};

/** Reads steps `from` … `to − 1` of an epoch on all ranks; gives the samples of each step. */
function read(
  options: Omit<EpochSamplesOptions, 'rank' | 'ranks' | 'batchSize'>,
  ranks: number,
  epoch: number,
  [from, to]: [number, number],
): number[][] {
  const perRank = Array.from({ length: ranks }, (_, rank) => {
    const samples = new EpochSamples({ ...options, rank, ranks, batchSize: CLIPS_PER_STEP / ranks });
    return { samples, order: samples.order(epoch) };
  });
  const steps: number[][] = [];
  for (let step = from; step < Math.min(to, perRank[0]!.samples.stepsPerEpoch); step++) {
    steps.push(perRank.flatMap(({ samples, order }) => [...samples.ofStep(order, step)]));
  }
  return steps;
}

describe.each([
  ['videos', plain],
  ['shards', inShards],
])('a month of training from %s', (_, options) => {
  it('shows every sample once an epoch, whatever the ranks and wherever it is stopped', () => {
    const stepsPerEpoch = Math.ceil(SAMPLES / CLIPS_PER_STEP);
    const whole = { ...options, dropLast: false };
    const orders = new Set<string>();
    for (let epoch = 0; epoch < 60; epoch++) {
      const reference = read(whole, 1, epoch, [0, Infinity]);
      // Each epoch is interrupted after some steps and goes on with other ranks.
      const stop = (epoch * 17) % (stepsPerEpoch + 1);
      const [before, after] = [[1, 2, 3, 4, 6, 8][epoch % 6]!, [4, 24, 1, 12, 2, 3][epoch % 6]!];
      const steps = [
        ...read(whole, before, epoch, [0, stop]),
        ...read(whole, after, epoch, [stop, Infinity]),
      ];
      expect(steps).toEqual(reference);
      const samples = steps.flat();
      expect(samples).toHaveLength(SAMPLES);
      expect(new Set(samples).size).toBe(SAMPLES);
      orders.add(samples.join());
    }
    expect(orders.size).toBe(60);
  });

  it('leaves out fewer samples than a step takes, and others in each epoch', () => {
    const left = new Map<number, number>();
    for (let epoch = 0; epoch < 50; epoch++) {
      const samples = new Set(read(options, 4, epoch, [0, Infinity]).flat());
      expect(samples.size).toBe(Math.floor(SAMPLES / CLIPS_PER_STEP) * CLIPS_PER_STEP);
      for (let sample = 0; sample < SAMPLES; sample++) {
        if (!samples.has(sample)) left.set(sample, (left.get(sample) ?? 0) + 1);
      }
    }
    // 19 of 1003 in each of 50 epochs: one sample is hardly ever left out more than 8 times.
    expect(Math.max(...left.values())).toBeLessThan(9);
  });
});

describe('shards', () => {
  it('are each read by as few ranks as that goes', () => {
    const shardSamples = new Array<number>(32).fill(100);
    const shards = { shardSamples, clipsPerStep: 16, bufferSize: 50 };
    const seen: Set<number>[] = [];
    for (let rank = 0; rank < 4; rank++) {
      const samples = new EpochSamples({ ...plain, sampleCount: 3200, rank, ranks: 4, batchSize: 4, shards });
      const order = samples.order(3);
      const steps = Array.from({ length: samples.stepsPerEpoch }, (_, step) => [
        ...samples.ofStep(order, step),
      ]);
      seen.push(new Set(steps.flat().map((sample) => Math.floor(sample / 100))));
    }
    expect(seen.map(({ size }) => size)).toEqual([8, 8, 8, 8]);
    expect(new Set(seen.flatMap((shardsOfRank) => [...shardsOfRank])).size).toBe(32);
  });

  it('are read from beginning to end, within the shuffle buffer', () => {
    const bufferSize = 10;
    const shards = { shardSamples: [400], clipsPerStep: 1, bufferSize };
    const samples = new EpochSamples({ ...plain, sampleCount: 400, rank: 0, ranks: 1, batchSize: 1, shards });
    let later = 0;
    samples.order(0).forEach((sample, place) => {
      expect(sample).toBeLessThanOrEqual(place + bufferSize);
      if (sample > place) later++;
    });
    expect(later).toBeGreaterThan(100);
  });

  it('give each of a million samples', () => {
    const shardSamples = new Array<number>(220).fill(5000);
    const shards = { shardSamples, clipsPerStep: 128, bufferSize: 1000 };
    const options = { ...plain, sampleCount: 1_100_000, rank: 0, ranks: 1, batchSize: 128, shards };
    const order = new EpochSamples(options).order(1);
    const found = new Uint8Array(order.length);
    for (const sample of order) found[sample] = 1;
    expect(found.every((value) => value === 1)).toBe(true);
  });
});

describe('a sample that cannot be read', () => {
  const sampleCount = 600;
  const samples = new EpochSamples({ ...plain, sampleCount, rank: 0, ranks: 1, batchSize: 1 });
  const entryOf = (candidate: number) => candidate % 2;
  const open = () => {
    const entries = [{ path: 'a.mp4' }, { path: 'b.mp4' }];
    return new Catalogue({} as DecoderPool, entries, { size: 32, crop: 'none' }, 0, undefined);
  };
  const fail = (candidate: number) => Promise.reject(new VideoDecodeError(`${candidate}.mp4`, 'damaged'));

  it('is replaced as long as there are whole ones, also when each file has failed once', async () => {
    const catalogue = open();
    const load = (candidate: number) => (candidate < 60 ? fail(candidate) : Promise.resolve(candidate));
    for (let sample = 0; sample < 60; sample++)
      expect(await samples.load(catalogue, { epoch: 0, sample }, entryOf, load)).toBeGreaterThanOrEqual(60);
    expect(catalogue.allBad()).toBe(true);
  });

  it('ends the run when no other can be read either, soon', async () => {
    let loads = 0;
    const load = (candidate: number) => (loads++, fail(candidate));
    const running = samples.load(open(), { epoch: 0, sample: 0 }, entryOf, load);
    await expect(running).rejects.toThrow(NoReadableVideoError);
    expect(loads).toBeLessThan(100);
    const single = new EpochSamples({ ...plain, sampleCount: 1, rank: 0, ranks: 1, batchSize: 1 });
    const entries = [{ path: 'a.mp4' }];
    const catalogue = new Catalogue({} as DecoderPool, entries, { size: 32, crop: 'none' }, 0, undefined);
    const only = single.load(catalogue, { epoch: 0, sample: 0 }, () => 0, fail);
    await expect(only).rejects.toThrow(/None of the 1 videos/);
  });
});
