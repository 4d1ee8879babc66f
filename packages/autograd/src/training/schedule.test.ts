import { describe, expect, it } from 'vitest';
import { cosineSchedule, scaleLearningRate, type CosineScheduleSettings } from './schedule.js';

// Values of the reference schedule (a published PyTorch implementation run in float64, stored as float32).
const PRETRAIN: CosineScheduleSettings = {
  peak: 1.5e-4,
  minimum: 5e-6,
  epochs: 100,
  stepsPerEpoch: 7,
  warmupEpochs: 5,
};
const FINETUNE: CosineScheduleSettings = {
  peak: 3.75e-4,
  minimum: 3.75e-7,
  epochs: 100,
  stepsPerEpoch: 5,
  warmupEpochs: 5,
};
const STEPS: CosineScheduleSettings = {
  peak: 1,
  minimum: 0.1,
  epochs: 3,
  stepsPerEpoch: 10,
  warmupEpochs: 1,
  warmupSteps: 4,
};

const FLOAT32_TABLES: [string, CosineScheduleSettings, [number, number][]][] = [
  [
    'pre-training',
    PRETRAIN,
    [
      [0, 0],
      [1, 4.41176462e-6],
      [7, 3.08823546e-5],
      [24, 0.000105882355],
      [33, 0.00014558823],
      [34, 0.000150000007],
      [35, 0.000150000007],
      [36, 0.000149999192],
      [50, 0.00014981805],
      [100, 0.000146608625],
      [199, 0.000129307256],
      [250, 0.000115709146],
      [350, 8.34870007e-5],
      [499, 3.53022733e-5],
      [697, 5.00728129e-6],
      [698, 5.00323631e-6],
      [699, 5.00080887e-6],
    ],
  ],
  [
    'fine-tuning',
    FINETUNE,
    [
      [0, 0],
      [1, 1.56250007e-5],
      [7, 0.000109375003],
      [24, 0.000375000003],
      [25, 0.000375000003],
      [33, 0.000374737865],
      [50, 0.000372445298],
      [199, 0.000264062925],
      [333, 0.00010347832],
      [400, 3.98716184e-5],
      [497, 4.11870388e-7],
      [498, 3.91387118e-7],
      [499, 3.79096832e-7],
    ],
  ],
  [
    'warm-up in steps',
    STEPS,
    [
      0, 0.333333343, 0.666666687, 1, 1, 0.996719003, 0.986923814, 0.970757306, 0.948455215, 0.920342743,
      0.886829853, 0.848405182, 0.805629134, 0.759125412, 0.709572196, 0.657692075, 0.60424149, 0.550000012,
      0.495758504, 0.442307949, 0.390427798, 0.340874583, 0.29437086, 0.251594812, 0.213170156, 0.179657266,
      0.151544794, 0.129242688, 0.11307618, 0.103281006,
    ].map((value, step) => [step, value]),
  ],
];

const FLOAT64_HEADS: [string, CosineScheduleSettings, number[]][] = [
  [
    'pre-training',
    PRETRAIN,
    [
      0, 4.4117647058823526e-6, 8.823529411764705e-6, 1.3235294117647058e-5, 1.764705882352941e-5,
      2.2058823529411763e-5, 2.6470588235294115e-5, 3.088235294117647e-5,
    ],
  ],
  ['fine-tuning', FINETUNE, [0, 1.5625e-5, 3.125e-5, 4.6875e-5, 6.25e-5, 7.8125e-5, 9.375e-5, 0.000109375]],
  [
    'warm-up in steps',
    STEPS,
    [
      0, 0.3333333333333333, 0.6666666666666666, 1, 1, 0.9967189933441243, 0.9869238178417234,
      0.9707573092084367,
    ],
  ],
];

describe('cosineSchedule', () => {
  it.each(FLOAT32_TABLES)('agrees with the reference in float32: %s', (_, settings, table) => {
    const schedule = cosineSchedule(settings);
    for (const [step, expected] of table) {
      const error = Math.abs(schedule.at(step) - expected);
      expect(error, `step ${step}`).toBeLessThanOrEqual(1e-7 * expected);
    }
  });

  it.each(FLOAT64_HEADS)('agrees with the reference in float64: %s', (_, settings, head) => {
    const schedule = cosineSchedule(settings);
    head.forEach((expected, step) => {
      const error = Math.abs(schedule.at(step) - expected);
      expect(error, `step ${step}`).toBeLessThanOrEqual(1e-15 * expected);
    });
  });

  it('counts its steps', () => {
    expect(cosineSchedule(PRETRAIN)).toMatchObject({ totalSteps: 700, warmupSteps: 35 });
    expect(cosineSchedule(STEPS)).toMatchObject({ totalSteps: 30, warmupSteps: 4 });
  });

  it('starts at the peak without a warm-up, and can be all warm-up', () => {
    const plain = cosineSchedule({ peak: 2, minimum: 1, epochs: 1, stepsPerEpoch: 4 });
    expect([0, 2].map((step) => plain.at(step))).toEqual([2, 1.5]);
    const warming = cosineSchedule({ peak: 2, minimum: 1, epochs: 1, stepsPerEpoch: 3, warmupSteps: 3 });
    expect([0, 1, 2].map((step) => warming.at(step))).toEqual([0, 1, 2]);
  });

  it('gives the value 0 to a warm-up of one step', () => {
    expect(cosineSchedule({ ...STEPS, warmupSteps: 1 }).at(0)).toBe(0);
    expect(cosineSchedule({ ...STEPS, warmupSteps: 1 }).at(1)).toBe(1);
  });

  it.each([-1, 0.5, 30, NaN])('refuses step %s', (step) => {
    expect(() => cosineSchedule(STEPS).at(step)).toThrow(RangeError);
    expect(() => cosineSchedule(STEPS).at(step)).toThrow(`step is ${step}`);
  });

  it.each<[Partial<CosineScheduleSettings>, string]>([
    [{ peak: NaN }, 'peak is NaN'],
    [{ minimum: Infinity }, 'minimum is Infinity'],
    [{ epochs: 0 }, 'epochs is 0'],
    [{ stepsPerEpoch: 1.5 }, 'stepsPerEpoch is 1.5'],
    [{ warmupEpochs: -1 }, 'warmupEpochs is -1'],
    [{ warmupSteps: 31 }, 'warmupSteps is 31'],
    [{ warmupSteps: 0, warmupEpochs: 4 }, 'warmupEpochs is 4'],
  ])('refuses %o', (change, message) => {
    expect(() => cosineSchedule({ ...STEPS, ...change })).toThrow(message);
  });
});

describe('scaleLearningRate', () => {
  it('states the rate for 256 clips', () => {
    expect(scaleLearningRate(3e-4, 160)).toBeCloseTo(1.875e-4, 18);
    expect(scaleLearningRate(1e-3, 256)).toBe(1e-3);
  });

  it('refuses a batch that is not a whole number of 1 or more', () => {
    expect(() => scaleLearningRate(1, 0)).toThrow('batchSize is 0');
  });
});
