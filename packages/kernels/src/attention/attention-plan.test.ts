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
    const { program } = runtime;
    runtime.program = (key, build) =>
      program.call(runtime, key, () => {
        const source = build();
        chosen.push(`${source.kernel}: ${source.detail.split(' ')[0]!}`);
        return source;
      });
    runtime.scope(() => {
      const make = (specs: ReturnType<typeof spec.inputs>) =>
        Object.fromEntries(Object.entries(specs).map(([name, array]) => [name, runtime.empty(array.shape)]));
      spec.run(runtime, shape, make(spec.inputs(shape)), make(spec.outputs(shape)));
    });
    runtime.program = program;
  }
  return chosen;
}

const both = (forward: string, query = forward, key = query) => [
  `attention: ${forward}`,
  `attention-backward-query: ${query}`,
  `attention-backward-key: ${key}`,
];

describe('the choice of matrix units', () => {
  it('is made for windows and for long sequences, where f16 is allowed', () => {
    const window = 'attention-backward-window: matrix-units-window';
    expect(chosenFor([64, 101, 101, 64], 'f16')).toEqual(['attention: matrix-units', window]);
    expect(chosenFor([8, 800, 800, 64], 'f16')).toEqual([
      'attention: matrix-units',
      'attention-backward-query: matrix-units-window',
      'attention-backward-key: matrix-units-window',
    ]);
    expect(chosenFor([8, 11, 11, 64], 'f16')).toEqual(['attention: tiled', window]);
    expect(chosenFor([64, 101, 101, 64], 'f32')).toEqual(both('tiled'));
    expect(chosenFor([8, 800, 800, 64], 'f32')).toEqual(both('tiled'));
  });

  it('is not made for few keys, few queries, or heads that are no whole number of units', () => {
    const window = ['attention: tiled', 'attention-backward-window: tiled'];
    expect(chosenFor([8, 64, 8, 64], 'f16')).toEqual(window);
    expect(chosenFor([8, 8, 8, 64], 'f16')).toEqual(window);
    expect(chosenFor([8, 101, 101, 24], 'f16').slice(0, 3)).toEqual(both('tiled'));
  });

  it('can be forced on any shape', () => {
    expect(chosenFor([64, 11, 11, 24], 'f32', 'matrix-units')).toEqual(both('matrix-units'));
  });
});

describe('the window kernel on matrix units', () => {
  const chosen = (size: readonly number[]) =>
    chosenFor([...size, 64], 'f16', 'matrix-units-window').filter((name) => name.includes('backward'));

  it('stands in for both others where a workgroup can hold all keys', () => {
    expect(chosen([64, 101, 101])).toEqual(['attention-backward-window: matrix-units-window']);
    expect(chosen([1, 800, 800])[0]).toBe('attention-backward-query: matrix-units-window');
  });
});
