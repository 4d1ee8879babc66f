import type { Tensor } from '@tubelet/autograd';
import { layer, type Layer } from '@tubelet/autograd/layers';

/** Receives intermediate results by name (`patch_embed`, `blocks.0`, …), e.g. for inspection. */
export type ActivationObserver = (name: string, activation: Tensor) => void;

/** How a forward pass is run; neither changes its result or its gradients. */
export interface PassOptions {
  readonly observe?: ActivationObserver;
  /**
   * Keep of each block only its input for the backward pass, which then runs the block a second time: a fraction of the
   * memory for about a third more arithmetic.
   */
  readonly recompute?: boolean;
}

/** A block that does the same each time that it is run on the same tensor with the same options. */
export type Block<Options> = Layer<(x: Tensor, options: Options) => Tensor>;

/** Blocks one after the other, named 0, 1, …, each with options of its own; the blocks themselves are its `each`. */
export function blocks<Options>(each: readonly Block<Options>[]) {
  const run = layer(
    Object.fromEntries(each.entries()),
    (input: Tensor, { observe, recompute }: PassOptions, optionsOf: (index: number) => Options) =>
      each.reduce((x, block, i) => {
        const y = x.engine.stage([x], (before) => block(before, optionsOf(i)), { recompute, consumes: true });
        observe?.(`blocks.${i}`, y);
        return y;
      }, input),
  );
  return Object.assign(run, { each });
}

/** Hands what is observed on under longer names. */
export function observedUnder(prefix: string, pass: PassOptions): PassOptions {
  const { observe } = pass;
  return observe ? { ...pass, observe: (name, activation) => observe(prefix + name, activation) } : pass;
}
