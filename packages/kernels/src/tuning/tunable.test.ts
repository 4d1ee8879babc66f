import { describe, expect, it } from 'vitest';
import { kernelCatalogue } from '../lab/catalogue.js';
import { shapeClassOfCase, tunableKernels } from '../lab/tunable-kernels.js';
import { likeRuntime, paperRuntime } from '../runtime/paper-device.js';
import { exchangeableVariants } from '../runtime/variants.js';
import { useRuntime } from '../testing/test-runtime.js';
import { kernelsDigest, requireFittingTable, tuningIdentity } from './tunable.js';
import { TuningTable, TuningTableError, type TuningChoice } from './tuning-table.js';

const COMPILER = 'compiler of the test';

describe('what can be tuned', () => {
  const runtime = useRuntime();

  it('are the kernels with several variants, each of which asks by the class of its shapes', () => {
    const kernels = tunableKernels(runtime());
    expect(kernels.map(({ spec }) => spec.name)).toEqual(
      expect.arrayContaining([
        'matmul',
        'attention',
        'attention-backward',
        'layer-norm',
        'layer-norm-backward',
      ]),
    );
    const several = kernelCatalogue.filter(
      ({ variants }) => exchangeableVariants(runtime(), variants).length > 1,
    );
    expect(kernels.map(({ spec }) => spec.name)).toEqual(several.map(({ name }) => name));
    for (const { spec } of kernels) {
      const classes = spec.cases
        .filter(({ kind }) => kind === 'model')
        .map(({ shape }) => shapeClassOfCase(runtime(), spec, shape));
      expect(classes, spec.name).not.toContain(undefined);
      const { shape } = spec.cases.find(({ kind }) => kind === 'tiny')!;
      expect(classes, `${spec.name}, tiny`).not.toContain(shapeClassOfCase(runtime(), spec, shape));
    }
  });

  it('is chosen by a table in use, and by nothing else', () => {
    for (const { spec, variants } of tunableKernels(runtime())) {
      const { shape } = spec.cases.find(({ kind }) => kind === 'tiny')!;
      const shapeOfCase = shapeClassOfCase(runtime(), spec, shape)!;
      const programs = (choice?: TuningChoice) => {
        const paper = paperRuntime(likeRuntime(runtime()));
        if (choice) paper.tuning = new TuningTable(tuningIdentity(runtime(), COMPILER), [choice]);
        const details: string[] = [];
        const run = paper.run.bind(paper);
        paper.run = (call) => {
          details.push(`${call.kernel} ${call.variant}\n${call.wgsl.join('\n')}`);
          run(call);
        };
        const arrays = (specs: ReturnType<typeof spec.inputs>) =>
          Object.fromEntries(
            Object.entries(specs).map(([name, { shape: of, dtype }]) => [name, paper.empty(of, dtype)]),
          );
        spec.run(paper, shape, arrays(spec.inputs(shape)), arrays(spec.outputs(shape)));
        return details.join('\n');
      };
      const shipped = programs();
      const ask = (kernel: string, index: number) =>
        programs({ kernel, shape: shapeOfCase, variant: variants[index]!.name });
      expect(ask(spec.name, 0), `${spec.name}: the shipped choice`).toBe(shipped);
      expect(ask('another kernel', 1), `${spec.name}: a choice for another kernel`).toBe(shipped);
      expect(ask(spec.name, 1), `${spec.name}: another choice`).not.toBe(shipped);
    }
  });

  it('is named by a digest that is the same every time, and another on another device', () => {
    expect(kernelsDigest(runtime())).toMatch(/^[0-9a-f]{16}$/);
    expect(kernelsDigest(runtime())).toBe(kernelsDigest(runtime()));
    expect(kernelsDigest(paperRuntime({ adapter: { features: [] } }))).not.toBe(kernelsDigest(runtime()));
  });
});

describe('requireFittingTable', () => {
  const runtime = useRuntime();
  const choice = () => {
    const [{ spec, variants } = { spec: undefined, variants: [] }] = tunableKernels(runtime());
    return { kernel: spec!.name, shape: 0, variant: variants[1]!.name };
  };
  const table = (change: Partial<TuningChoice> = {}, identity = {}) =>
    new TuningTable({ ...tuningIdentity(runtime(), COMPILER), ...identity }, [{ ...choice(), ...change }]);

  it('takes what was measured here', () =>
    expect(() => requireFittingTable(runtime(), table(), COMPILER)).not.toThrow());

  it.each<[string, () => TuningTable, RegExp]>([
    ['other kernels', () => table({}, { kernels: 'other' }), /kernels have changed/],
    ['another adapter', () => table({}, { adapter: { description: 'Elsewhere' } }), /"Elsewhere"/],
    ['another compiler', () => table({}, { compiler: 'none' }), /measured with none/],
    ['an unknown variant', () => table({ variant: 'fastest' }), /no variant "fastest" here/],
    ['an unknown kernel', () => table({ kernel: 'magic' }), /kernel magic has no variant/],
  ])('refuses what was measured with %s', (_, make, message) => {
    expect(() => requireFittingTable(runtime(), make(), COMPILER)).toThrow(TuningTableError);
    expect(() => requireFittingTable(runtime(), make(), COMPILER)).toThrow(message);
  });
});
