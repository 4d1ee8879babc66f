import { describe, expect, it } from 'vitest';
import { canHold } from '../kernel-spec.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import { runnableVariants, type Variant } from '../runtime/variants.js';
import {
  checkCase,
  checkReferenceBackward,
  makeHostData,
  runOnce,
  scaledError,
} from '../testing/kernel-harness.js';
import { testRandom } from '../testing/random.js';
import { useRuntime } from '../testing/test-runtime.js';
import { attentionKernel } from './attention.cases.js';
import { attention, attentionVariants } from './attention.js';
import { attentionReference } from './attention.reference.js';
import { casesFor } from './attention.testing.js';

describe('attention', () => {
  const runtime = useRuntime({ matrixUnits: true });
  const canRun = (variant: Variant) => runnableVariants(runtime(), [variant]).length > 0;

  for (const variant of attentionVariants) {
    it.for(casesFor(attentionKernel, variant))(
      `${variant.name} matches float64: $name`,
      async (testCase, { skip }) => {
        skip(!canRun(variant), 'this device cannot run the variant');
        skip(!canHold(runtime(), attentionKernel, testCase.shape), 'this device has no f16');
        await checkCase(runtime(), attentionKernel, testCase, variant);
      },
    );
  }

  it('has a reference whose backward matches differences', () => checkReferenceBackward(attentionKernel));

  it.for(attentionVariants)(
    '$name takes the columns of a fused q|k|v buffer and rows by stride',
    async (variant, { skip }) => {
      skip(!canRun(variant), 'this device cannot run the variant');
      const { name, precision } = variant;
      const [groups, tokens, heads, headDimension] = [2, 6, 2, 16];
      const channels = heads * headDimension;
      const random = testRandom(3);
      // [G, 1 + N, 3C]: self-attention of all rows but the first.
      const host = Float32Array.from({ length: groups * (1 + tokens) * 3 * channels }, () => random.normal());
      const column = (part: number) => {
        const values: number[] = [];
        for (let g = 0; g < groups; g++) {
          for (let i = 1; i <= tokens; i++) {
            const at = (g * (1 + tokens) + i) * 3 * channels + part * channels;
            values.push(...host.subarray(at, at + channels));
          }
        }
        return Float64Array.from(values);
      };
      const shape = { groups, queries: tokens, keys: tokens, heads, headDimension };
      const expected = attentionReference(shape, column(0), column(1), column(2)).out;
      runtime().forcedVariants.set('attention', name);
      try {
        const actual = await runtime().scope(async () => {
          const fused = runtime()
            .upload(host, [groups, 1 + tokens, 3 * channels])
            .slice(1, 1, 1 + tokens);
          const whole = runtime().upload(new Float32Array(groups * (1 + tokens) * channels).fill(7), [
            groups,
            1 + tokens,
            channels,
          ]);
          attention(runtime(), {
            q: fused.slice(2, 0, channels),
            k: fused.slice(2, channels, 2 * channels),
            v: fused.slice(2, 2 * channels, 3 * channels),
            out: whole.slice(1, 1, 1 + tokens),
            heads,
          });
          return runtime().read(whole);
        });
        const rows = (1 + tokens) * channels;
        for (let g = 0; g < groups; g++) {
          expect([...actual.subarray(g * rows, g * rows + channels)], 'the row left out').toEqual(
            new Array<number>(channels).fill(7),
          );
          const result = actual.subarray(g * rows + channels, (g + 1) * rows);
          const wanted = expected.subarray(g * tokens * channels, (g + 1) * tokens * channels);
          // Rounded to f16, q, k and v err by 2⁻¹¹ each.
          expect(scaledError(result, wanted)).toBeLessThan(precision === 'f16' ? 5e-3 : 1e-6);
        }
      } finally {
        runtime().forcedVariants.delete('attention');
      }
    },
  );

  const spoilt = attentionVariants.flatMap((variant) =>
    [5, 33].flatMap((keys) => (['q', 'k', 'v'] as const).map((input) => ({ variant, keys, input }))),
  );
  it.for(spoilt)(
    '$variant.name lets NaN in $input of $keys keys through',
    async ({ variant, keys, input }, { skip }) => {
      skip(!canRun(variant), 'this device cannot run the variant');
      const shape = { groups: 1, queries: 9, keys, heads: 2, headDimension: 16 };
      const host = makeHostData(attentionKernel.inputs(shape), testRandom(5));
      // Channel 3 of row 2: of the first head.
      host[input]![2 * 32 + 3] = NaN;
      runtime().forcedVariants.set('attention', variant.name);
      const { out, logSumExp } = await runOnce(runtime(), attentionKernel, shape, host, {}).finally(() =>
        runtime().forcedVariants.delete('attention'),
      );
      // SwiftShader makes a number of the logarithm of NaN. The outputs of such rows are NaN all the same.
      const logKeepsNaN = runtime().adapter.architecture !== 'swiftshader';
      const isSpoilt = (row: number) => input !== 'q' || row === 2;
      for (let row = 0; row < shape.queries; row++) {
        // A value has no part in the log-sum-exp, and only in its own channel.
        const channel = out![row * 32 + 3];
        expect(Number.isNaN(channel), `out, row ${row}`).toBe(isSpoilt(row));
        const inSum = input !== 'v' && isSpoilt(row);
        if (logKeepsNaN || !inSum) {
          expect(Number.isNaN(logSumExp![row]), `logSumExp, row ${row}`).toBe(inSum);
        }
        expect(Number.isNaN(out![row * 32 + 16 + 3]), `second head, row ${row}`).toBe(false);
      }
    },
  );

  type Make = (...shape: number[]) => GpuArray;
  const refused: readonly {
    readonly what: string;
    readonly changes: (make: Make, given: { readonly q: GpuArray }) => object;
    readonly message: RegExp;
  }[] = [
    {
      what: 'heads that do not divide the channels',
      changes: () => ({ heads: 3 }),
      message: /8 channels cannot be split into 3 heads/,
    },
    {
      what: 'values of another width',
      changes: (make) => ({ v: make(2, 5, 16) }),
      message: /attention: v must be \[2, 5, 8\]/,
    },
    {
      what: 'a result of another length',
      changes: (make) => ({ out: make(2, 5, 8) }),
      message: /attention: out must be \[2, 3, 8\]/,
    },
    {
      what: 'a result among the inputs',
      changes: (_, { q }) => ({ out: q }),
      message: /out and q share a buffer/,
    },
    {
      what: 'statistics by rows',
      changes: (make) => ({ logSumExp: make(2, 3, 2) }),
      message: /logSumExp must be \[2, 2, 3\]/,
    },
    {
      what: 'too wide a head',
      changes: (make) => ({
        ...{ q: make(1, 2, 160), k: make(1, 2, 160), v: make(1, 2, 160), out: make(1, 2, 160) },
        heads: 1,
      }),
      message: /head dimension of 160/,
    },
  ];
  it.each(refused)('refuses $what', ({ changes, message }) => {
    runtime().scope(() => {
      const make: Make = (...shape) => runtime().empty(shape);
      const kv = make(2, 5, 16);
      const given = {
        ...{ q: make(2, 3, 8), k: kv.slice(2, 0, 8), v: kv.slice(2, 8, 16), out: make(2, 3, 8) },
        heads: 2,
      };
      expect(() => attention(runtime(), { ...given, ...changes(make, given) })).toThrow(message);
    });
  });
});
