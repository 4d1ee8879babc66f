import type { Tensor } from '@tubelet/autograd';

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

/**
 * Runs `depth` blocks one after the other. `name` is that of the list, such as `encoder.blocks`; the block `i` is called
 * with `encoder.blocks.i` and must do the same each time that it is run on the same tensor.
 */
export function runBlocks(
  input: Tensor,
  { name, depth, observe, recompute }: PassOptions & { readonly name: string; readonly depth: number },
  block: (x: Tensor, name: string, index: number) => Tensor,
): Tensor {
  const { engine } = input;
  let x = input;
  for (let i = 0; i < depth; i++) {
    const run = (before: Tensor) => block(before, `${name}.${i}`, i);
    const before = x;
    // Without gradients there is nothing to run again, and the input can go too.
    x =
      recompute && engine.gradEnabled
        ? engine.recompute([before], run)
        : engine.tidy(() => run(before), { consumes: before });
    observe?.(`${name}.${i}`, x);
  }
  return x;
}
