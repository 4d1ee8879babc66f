import { describe, expect, it } from 'vitest';
import type { MatrixUnitConfig, Runtime } from '../runtime/runtime.js';
import { openNullRuntime } from '../testing/null-runtime.js';
import { attentionBackward, attentionBackwardVariants } from './attention-backward.js';

const unit: MatrixUnitConfig = { componentType: 'f16', resultComponentType: 'f32', m: 16, n: 16, k: 16 };
const features = [...new Set(attentionBackwardVariants.flatMap(({ needs }) => needs))];
const device = {
  'subgroup-broadcast': { isSoftware: true, subgroupMinSize: 8, subgroupMaxSize: 8 },
  tiled: { isSoftware: false },
  'matrix-units': { isSoftware: false, matrixUnits: [unit] },
};

/** All gradients of a window of 11 keys, dk and dv as slices of one buffer, which may hold dq too. */
function backward(runtime: Runtime, headDimension: number, withQuery: boolean): void {
  const [tokens, heads] = [11, 2];
  const channels = heads * headDimension;
  const make = (count = 1) => runtime.empty([1, tokens, count * channels]);
  const gradients = make(withQuery ? 3 : 2);
  const part = (i: number) => gradients.slice(2, i * channels, (i + 1) * channels);
  const first = withQuery ? 1 : 0;
  attentionBackward(runtime, {
    ...{ q: make(), k: make(), v: make(), out: make(), dOut: make(), heads },
    logSumExp: runtime.empty([1, heads, tokens]),
    ...{ dq: withQuery ? part(0) : make(), dk: part(first), dv: part(first + 1) },
  });
}

const cases = Object.entries(device).flatMap(([name, claims]) =>
  [64, 30].flatMap((headDimension) =>
    [true, false].map((withQuery) => ({
      ...{ name, claims, headDimension, withQuery },
      buffers: withQuery ? 'one buffer' : 'two buffers',
    })),
  ),
);

// The null backend binds eight buffers, one too few for the cases of the catalogue, whose gradients lie in three.
describe('the kernel of a window compiles', () => {
  it.each(cases)(
    '$name, head dimension $headDimension, gradients in $buffers',
    async ({ name, claims, headDimension, withQuery }) => {
      const runtime = await openNullRuntime(features, claims);
      runtime.forcedVariants.set('attention-backward', name);
      runtime.scope(() => backward(runtime, headDimension, withQuery));
      await runtime.synchronize();
      expect([...runtime.ledger.entries()].map(([kernel]) => kernel)).toEqual(['attention-backward-window']);
      runtime.destroy();
    },
  );
});
