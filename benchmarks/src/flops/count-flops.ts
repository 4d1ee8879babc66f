import { Engine } from '@tubelet/autograd';
import type { Runtime } from '@tubelet/kernels';
import { Classifier, type EncoderConfig } from '@tubelet/mae-dfer';

/** Classes of the models whose FLOPs the paper prints. */
export const PAPER_CLASSES = 7;

export interface ForwardCount {
  readonly parameters: number;
  /** Multiply–accumulates of all kernels. */
  readonly macs: number;
  /** Floating-point operations of the layer norms. */
  readonly layerNormFlops: number;
  /** The paper's FLOPs: one for a multiply–accumulate, those of layer norms, nothing else. */
  readonly flops: number;
  readonly dispatches: number;
  /** Kernels with their calls and costs, in the order in which they first ran. */
  readonly kernels: readonly { readonly kernel: string; readonly calls: number; readonly macs: number }[];
}

/**
 * Sends one clip of black frames through a classifier and reads the runtime's ledger. Weights stay zero: costs
 * do not depend on values. Waits for the GPU, so that a kernel that fails is an error here.
 */
export async function countForward(
  runtime: Runtime,
  encoder: EncoderConfig,
  classes = PAPER_CLASSES,
): Promise<ForwardCount> {
  const engine = new Engine(runtime);
  const model = new Classifier(engine, {
    encoder,
    classes,
    pooling: encoder.kind === 'vit' ? 'original' : 'representative',
  });
  try {
    runtime.ledger.reset();
    await engine.step(async () => {
      const { frames, imageSize } = encoder;
      const shape = [1, frames, imageSize, imageSize, 3];
      const pixels = new Uint8Array(frames * imageSize * imageSize * 3);
      engine.noGrad(() => model.forward({ frames: runtime.upload(pixels, shape, 'u8', 'clip') }));
      await runtime.synchronize();
    });
    let parameters = 0;
    for (const { array } of model.store.parameters.values()) parameters += array.size;
    const { macs, calls } = runtime.ledger.total();
    const layerNormFlops = runtime.ledger.entries().get('layer-norm')?.flops ?? 0;
    return {
      parameters,
      macs,
      layerNormFlops,
      flops: macs + layerNormFlops,
      dispatches: calls,
      kernels: [...runtime.ledger.entries()].map(([kernel, entry]) => ({
        kernel,
        calls: entry.calls,
        macs: entry.macs,
      })),
    };
  } finally {
    model.release();
    // The next model has other shapes; keeping these buffers for it would only take memory.
    runtime.pool.trim();
  }
}
