import { describe, expect, it } from 'vitest';
import { RateMeter, averageMicroBatches, type Metrics } from './meters.js';

describe('RateMeter', () => {
  it('is 0 before there is work, and then amount over time', () => {
    const meter = new RateMeter(1000);
    expect(meter.perSecond).toBe(0);
    meter.add(8, 3000);
    expect(meter.perSecond).toBe(4);
  });

  it('counts a first step only until there is a second', () => {
    const meter = new RateMeter(0);
    meter.add(10, 100_000);
    expect(meter.perSecond).toBe(0.1);
    meter.add(10, 101_000);
    meter.add(10, 102_000);
    expect(meter.perSecond).toBe(10);
  });

  it('forgets what lies behind its window', () => {
    const meter = new RateMeter(0, 2);
    meter.add(1, 60_000);
    meter.add(10, 61_000);
    meter.add(10, 62_000);
    expect(meter.perSecond).toBe(10);
  });
});

describe('averageMicroBatches', () => {
  it('runs them in order and averages each metric', async () => {
    const order: number[] = [];
    const mean = await averageMicroBatches(3, async (index) => {
      order.push(index);
      return { loss: index, lr: 0.5 };
    });
    expect(order).toEqual([0, 1, 2]);
    expect(mean).toEqual({ loss: 1, lr: 0.5 });
  });

  it('refuses a count below 1 and micro-batches that report other metrics', async () => {
    await expect(averageMicroBatches(0, async () => ({}))).rejects.toThrow('count is 0');
    await expect(averageMicroBatches(2, async (i) => ({ [`loss${i}`]: 1 }))).rejects.toThrow('loss1');
    await expect(
      averageMicroBatches(2, async (i): Promise<Metrics> => (i ? {} : { loss: 1 })),
    ).rejects.toThrow('micro-batch 1');
  });
});
