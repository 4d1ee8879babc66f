import { describe, expect, it } from 'vitest';
import { paperRuntime } from '../runtime/paper-device.js';
import type { Precision } from '../runtime/variants.js';
import { attentionBackwardKernel } from '../attention-backward/attention-backward.cases.js';
import { attentionKernel, type AttentionCaseShape } from './attention.cases.js';

const features = ['chromium-experimental-subgroup-matrix', 'shader-f16', 'subgroups'];
const matrixUnits = [{ componentType: 'f16', resultComponentType: 'f32', m: 16, n: 16, k: 16 }];

/** What the dispatchers of both kernels say that they run for a shape, on a GPU that computes nothing. */
function chosenFor(size: readonly number[], precision: Precision, forced?: string): string[] {
  const [groups, queries, keys, headDimension] = size as [number, number, number, number];
  const shape: AttentionCaseShape = { groups, queries, keys, heads: 8, headDimension };
  const runtime = paperRuntime({ adapter: { features, matrixUnits } });
  runtime.precision = precision;
  const chosen: string[] = [];
  for (const spec of [attentionKernel, attentionBackwardKernel]) {
    if (forced && spec.variants.some(({ name }) => name === forced))
      runtime.forcedVariants.set(spec.name, forced);
    const run = runtime.run.bind(runtime);
    runtime.run = (call) => {
      chosen.push(`${call.kernel}: ${call.variant ?? 'the only one'}`);
      run(call);
    };
    runtime.scope(() => {
      const make = (specs: ReturnType<typeof spec.inputs>) =>
        Object.fromEntries(Object.entries(specs).map(([name, array]) => [name, runtime.empty(array.shape)]));
      spec.run(runtime, shape, make(spec.inputs(shape)), make(spec.outputs(shape)));
    });
    runtime.run = run;
  }
  return chosen;
}

const both = (forward: string, query = forward, key = query) => [
  `attention: ${forward}`,
  `attention-backward-query: ${query}`,
  `attention-backward-key: ${key}`,
];

const window = (variant: string) => `attention-backward-window: ${variant}`;

describe('the kernels chosen', () => {
  it.each<{
    what: string;
    size: readonly number[];
    precision: Precision;
    forced?: string;
    kernels: readonly string[];
  }>([
    {
      what: 'on matrix units for the windows of fine-tuning',
      size: [64, 101, 101, 64],
      precision: 'f16',
      kernels: ['attention: matrix-units', window('matrix-units')],
    },
    {
      what: 'on matrix units for long sequences',
      size: [8, 800, 800, 64],
      precision: 'f16',
      kernels: both('matrix-units'),
    },
    {
      what: 'on matrix units for the gradients alone of the windows of pre-training',
      size: [8, 11, 11, 64],
      precision: 'f16',
      kernels: ['attention: tiled', window('matrix-units')],
    },
    { what: 'exact for windows in f32', size: [64, 101, 101, 64], precision: 'f32', kernels: both('tiled') },
    { what: 'exact for sequences in f32', size: [8, 800, 800, 64], precision: 'f32', kernels: both('tiled') },
    {
      what: 'exact for few keys',
      size: [8, 64, 8, 64],
      precision: 'f16',
      kernels: ['attention: tiled', window('tiled')],
    },
    {
      what: 'exact for few queries and keys',
      size: [8, 8, 8, 64],
      precision: 'f16',
      kernels: ['attention: tiled', window('tiled')],
    },
    {
      what: 'exact for heads that are not a whole number of units',
      size: [8, 101, 101, 24],
      precision: 'f16',
      kernels: both('tiled'),
    },
    {
      what: 'as forced, on any shape',
      size: [64, 11, 11, 24],
      precision: 'f32',
      forced: 'matrix-units',
      kernels: ['attention: matrix-units', window('matrix-units')],
    },
    {
      what: 'by blocks where windows are not to be one kernel',
      size: [64, 101, 101, 64],
      precision: 'f16',
      forced: 'matrix-units-blocks',
      kernels: both('matrix-units', 'matrix-units-blocks'),
    },
    {
      what: 'by blocks for windows of more queries than one workgroup should go through',
      size: [64, 129, 64, 64],
      precision: 'f16',
      kernels: both('matrix-units'),
    },
    {
      what: 'by blocks for windows of more keys than a workgroup can hold',
      size: [64, 101, 113, 64],
      precision: 'f16',
      kernels: both('matrix-units'),
    },
    {
      what: 'one for the most keys that a workgroup can hold',
      size: [64, 101, 112, 64],
      precision: 'f16',
      kernels: ['attention: matrix-units', window('matrix-units')],
    },
  ])('are $what', ({ size, precision, forced, kernels }) => {
    const chosen = chosenFor(size, precision, forced);
    expect(chosen.filter((name) => !name.includes('reduce'))).toEqual(kernels);
  });
});
