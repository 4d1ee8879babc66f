import { describe, expect, it } from 'vitest';
import { runnableVariants, type Variant } from '../runtime/variants.js';
import { checkCase, checkReferenceBackward, scaledError } from '../testing/kernel-harness.js';
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
      const [groups, tokens, heads, headDimension] = [2, 6, 2, 8];
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

  it('refuses shapes that do not agree and outputs among the inputs', () => {
    runtime().scope(() => {
      const q = runtime().empty([2, 3, 8]);
      const kv = runtime().empty([2, 5, 16]);
      const out = runtime().empty([2, 3, 8]);
      const k = kv.slice(2, 0, 8);
      const v = kv.slice(2, 8, 16);
      const run = (changes: object) => () => attention(runtime(), { q, k, v, out, heads: 2, ...changes });
      expect(run({ heads: 3 })).toThrow(/8 channels cannot be split into 3 heads/);
      expect(run({ v: kv })).toThrow(/attention: v must be \[2, 5, 8\]/);
      expect(run({ out: k })).toThrow(/attention: out must be \[2, 3, 8\]/);
      expect(run({ out: q })).toThrow(/out and q share a buffer/);
      expect(run({ logSumExp: runtime().empty([2, 3, 2]) })).toThrow(/logSumExp must be \[2, 2, 3\]/);
      const wide = () => runtime().empty([1, 2, 160]);
      expect(run({ q: wide(), k: wide(), v: wide(), out: wide(), heads: 1 })).toThrow(
        /head dimension of 160/,
      );
    });
  });
});
