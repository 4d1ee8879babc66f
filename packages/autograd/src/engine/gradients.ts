import { GpuArray, PartialSums, rowAdd, type Runtime } from '@tubelet/kernels';
import { Parameter } from './parameter.js';
import { readPacked } from './read-packed.js';
import type { GradientFlow, GradientObserver, GradientTarget, LeafGradients, Tensor } from './tensor.js';

interface Slot {
  array: GpuArray;
}

/**
 * The gradients of one backward pass. A gradient buffer changes hands instead of being copied wherever the
 * mathematics allows it: the residual connections of a transformer hand one buffer down through all blocks,
 * and every branch adds to it in place.
 */
export class Gradients implements GradientFlow, LeafGradients {
  private readonly slots = new Map<Tensor, Slot>();
  /** Number of slots on each storage; at zero the storage goes back to the pool. */
  private readonly holders = new Map<number, number>();

  /** Gradients of parameters that wait in parts until all can be added up at once. */
  readonly partialSums: PartialSums;

  constructor(
    private readonly runtime: Runtime,
    private readonly observer?: GradientObserver,
  ) {
    this.partialSums = new PartialSums(runtime);
  }

  has(tensor: Tensor): boolean {
    return this.slots.has(tensor);
  }

  /** The gradient of `tensor`; undefined when nothing flowed into it. */
  get(tensor: Tensor): GpuArray | undefined {
    if (tensor instanceof Parameter) {
      this.settle(tensor);
      return tensor.hasGradient ? tensor.gradient : undefined;
    }
    return this.slots.get(tensor)?.array;
  }

  /** The values of a gradient, row-major; undefined when nothing flowed into `tensor`. Waits for the GPU. */
  async read(tensor: Tensor): Promise<Float32Array | undefined> {
    const array = this.get(tensor);
    // Gradients can be views, of the gradient of a buffer that parts were joined in.
    return array && readPacked(this.runtime, array, (packed) => this.runtime.read(packed));
  }

  /** The gradient of an output; throws when there is none. */
  of(tensor: Tensor): GpuArray {
    const array = this.get(tensor);
    if (!array) throw new Error(`no gradient has reached ${tensor}`);
    return array;
  }

  /** Where to write the gradient of an input; the kernel must fill or add to all of it. */
  target(tensor: Tensor): GradientTarget {
    if (tensor instanceof Parameter) {
      this.settle(tensor);
      this.observer?.reached(tensor.gradient);
      return tensor.gradientTarget();
    }
    const slot = this.slots.get(tensor);
    if (slot) return { array: slot.array, accumulate: true };
    const array = this.runtime.empty(tensor.shape, tensor.dtype, `gradient of ${tensor.name}`);
    this.hold(tensor, array);
    return { array, accumulate: false };
  }

  /** Gives a kernel that can only overwrite a place for the gradient of `tensor`, and adds it if need be. */
  overwrite(tensor: Tensor, write: (array: GpuArray) => void): void {
    const { array, accumulate } = this.target(tensor);
    if (!accumulate) return write(array);
    const scratch = this.runtime.empty(tensor.shape, tensor.dtype, `gradient of ${tensor.name}`);
    write(scratch);
    rowAdd(this.runtime, { a: scratch, out: array, accumulate: true });
    this.runtime.release(scratch);
  }

  /**
   * Makes `array` the gradient of `tensor`, or adds it to the one there is. The giver must not need the
   * values any more: later contributions are added in place. A gradient is of its tensor's dtype; others are rounded.
   */
  donate(tensor: Tensor, array: GpuArray): void {
    if (!tensor.requiresGrad) return;
    if (tensor instanceof Parameter || this.slots.has(tensor) || array.dtype !== tensor.dtype) {
      const { array: target, accumulate } = this.target(tensor);
      rowAdd(this.runtime, { a: array, out: target, accumulate });
    } else {
      this.hold(tensor, array);
    }
  }

  /** Forgets the gradient of `tensor`. */
  drop(tensor: Tensor): void {
    const slot = this.slots.get(tensor);
    if (!slot) return;
    this.slots.delete(tensor);
    this.unhold(slot.array);
  }

  /**
   * Collects the gradients of views that together cover `whole` into its gradient. When all of them already
   * lie in one buffer at their places, that buffer is taken as it is; otherwise they are copied, and parts
   * that nothing flowed into are zero.
   */
  gather(whole: Tensor, parts: readonly Tensor[]): void {
    const moved = this.slots.has(whole) ? undefined : this.commonBuffer(whole, parts);
    if (moved) {
      this.hold(whole, moved);
    } else {
      const { array, accumulate } = this.target(whole);
      for (const part of parts) {
        const place = new GpuArray(
          array.storage,
          array.dtype,
          part.shape,
          part.array.strides,
          array.offset + part.array.offset - whole.array.offset,
        );
        const gradient = this.slots.get(part)?.array;
        // Zeros by the same kernel: a fill would be one more program to compile.
        const zeros = accumulate ? undefined : this.runtime.zeros(part.extent(-1));
        const rows = gradient ?? zeros?.broadcastLeading(...part.shape.slice(0, -1));
        if (rows) rowAdd(this.runtime, { a: rows, out: place, accumulate });
      }
    }
    for (const part of parts) this.drop(part);
  }

  /** Follows the backward part of every operation. */
  operationDone(): void {
    this.observer?.operationDone(this.partialSums);
  }

  /** Adds up what still waits in parts. */
  complete(): void {
    this.partialSums.flush();
    this.observer?.passDone();
  }

  /** Hands all gradients that there are from the innermost scope to the one around it. */
  escape(): void {
    this.partialSums.escape();
    for (const { array } of this.slots.values()) this.runtime.allocations.escape(array);
  }

  // Before somebody reads a gradient or adds to it.
  private settle(parameter: Parameter): void {
    if (this.partialSums.awaits(parameter.gradient)) this.partialSums.flush();
  }

  private commonBuffer(whole: Tensor, parts: readonly Tensor[]): GpuArray | undefined {
    const first = this.slots.get(parts[0]!)?.array;
    if (!first) return undefined;
    const offset = first.offset - (parts[0]!.array.offset - whole.array.offset);
    for (const part of parts) {
      const array = this.slots.get(part)?.array;
      if (
        !array ||
        array.storage !== first.storage ||
        array.offset - (part.array.offset - whole.array.offset) !== offset ||
        array.strides.some((stride, axis) => stride !== part.array.strides[axis])
      ) {
        return undefined;
      }
    }
    return new GpuArray(first.storage, first.dtype, whole.shape, whole.array.strides, offset);
  }

  private hold(tensor: Tensor, array: GpuArray): void {
    this.slots.set(tensor, { array });
    this.holders.set(array.storage.id, (this.holders.get(array.storage.id) ?? 0) + 1);
  }

  private unhold(array: GpuArray): void {
    const left = this.holders.get(array.storage.id)! - 1;
    this.holders.set(array.storage.id, left);
    if (left === 0) this.runtime.release(array);
  }
}
