import { Engine, softCrossEntropy } from '@tubelet/autograd';
import { paperRuntime, type AdapterSummary, type Precision, type Runtime } from '@tubelet/kernels';
import { Classifier, DropPath, lgiFormer } from '@tubelet/mae-dfer';
import { describe, expect, it } from 'vitest';
import { MATRIX_UNITS } from '../../../packages/trainer/src/testing/program-count.js';

const CLIPS = 8;

const gpu: Partial<AdapterSummary> = { features: ['subgroups', 'shader-f16'] };

/** Takes forward and backward pass of a fine-tuning, in steady state. */
async function dispatchesOf(runtime: Runtime, depth: number, dropPathRate: number): Promise<number> {
  const engine = new Engine(runtime);
  const encoder = lgiFormer('base', { depth });
  const model = new Classifier(engine, { encoder, classes: 7, pooling: 'representative' });
  const dropPath = new DropPath(runtime, encoder, dropPathRate);
  const { frames, imageSize } = encoder;
  const samples = Array.from({ length: CLIPS }, (_, i) => i);
  let dispatches = 0;
  for (let step = 0; step < 2; step++) {
    const before = runtime.counters.dispatches;
    await engine.step(() => {
      const clips = runtime.empty([CLIPS, frames, imageSize, imageSize, 3], 'u8');
      const { logits } = model.forward(
        { frames: clips },
        { dropPath: dropPath.draw({ seed: 0, epoch: step, samples }) },
      );
      softCrossEntropy(logits, runtime.empty([CLIPS, 7])).backward();
    });
    model.store.zeroGradients();
    dispatches = runtime.counters.dispatches - before;
  }
  dropPath.release();
  model.release();
  return dispatches;
}

/** What eight blocks more take, of each: as the whole has it, partial sums that several blocks share included. */
async function dispatchesOfBlock(
  adapter: Partial<AdapterSummary>,
  precision: Precision,
  dropPathRate: number,
): Promise<number> {
  const runtime = paperRuntime({ adapter, precision });
  const [shallow, deep] = [4, 12];
  const more =
    (await dispatchesOf(runtime, deep, dropPathRate)) - (await dispatchesOf(runtime, shallow, dropPathRate));
  return more / (deep - shallow);
}

describe('dispatches of a block of base, forward and backward', () => {
  it.each([
    ['a GPU', 'f32', gpu, 34],
    ['a GPU', 'f16', gpu, 34],
    ['a GPU with matrix units', 'f16', MATRIX_UNITS, 33],
  ] as const)('are few on %s in %s', async (_, precision, adapter, most) => {
    expect(await dispatchesOfBlock(adapter, precision, 0)).toBeLessThanOrEqual(most);
    expect(await dispatchesOfBlock(adapter, precision, 0.1)).toBeLessThanOrEqual(most);
  });
});
