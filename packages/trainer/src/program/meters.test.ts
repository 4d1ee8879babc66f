import { describe, expect, it } from 'vitest';
import { RateMeter } from './meters.js';

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

  it('leaves out a pause', () => {
    const meter = new RateMeter(0);
    meter.add(10, 1000);
    meter.pause(60_000);
    meter.add(10, 62_000);
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
