import type { GpuArray, HostData } from '@tubelet/kernels';
import { Tensor, type GradientTarget, type Tape } from './tensor.js';

/** The values of a parameter in f16, for products. */
export interface HalfValues {
  /** Of the parameter's shape, up to date. */
  view(): GpuArray;
  /** To be called by whoever has written the parameter's own values. */
  invalidate(): void;
}

/** A tensor of stored dimensions that is trained: it owns a gradient that persists between steps. */
export class Parameter extends Tensor {
  private gradientIsSet = false;

  constructor(
    engine: Tape,
    array: GpuArray,
    readonly gradient: GpuArray,
    private readonly halves: HalfValues,
    name: string,
    /** For a pack: the parameters that lie inside it. */
    readonly parts: readonly Parameter[] = [],
    /** Whether weight decay is for it. */
    readonly decays = true,
  ) {
    super(engine, array, true, name);
  }

  /** Whether `gradient` holds a gradient that is to be added to; a pack has one when all its parts do. */
  get hasGradient(): boolean {
    return this.parts.length > 0 ? this.parts.every((part) => part.hasGradient) : this.gradientIsSet;
  }

  set hasGradient(value: boolean) {
    for (const part of this.parts) part.hasGradient = value;
    this.gradientIsSet = value;
  }

  /**
   * The gradient and whether to add to it; from now on the parameter has a gradient.
   *
   * @throws when only some parts of a pack have one, and for a pack with gaps, whose gradient must stay zero between
   *   its parts
   */
  gradientTarget(): GradientTarget {
    const { parts } = this;
    const accumulate = this.hasGradient;
    if (!accumulate && parts.some((part) => part.hasGradient)) {
      throw new Error(`the parts of ${this.name} were used both together and apart in one backward pass`);
    }
    if (this.gaps().length > 0) {
      throw new Error(`pack ${this.name} has gaps, which must stay zero: only its parts can take gradients`);
    }
    this.hasGradient = true;
    return { array: this.gradient, accumulate };
  }

  /** The parts of a pack that belong to no parameter: first element and end of each, in order. */
  gaps(): readonly (readonly [number, number])[] {
    const gaps: (readonly [number, number])[] = [];
    let end = 0;
    for (const { array } of this.parts) {
      const start = array.offset - this.array.offset;
      if (start > end) gaps.push([end, start]);
      end = start + array.size;
    }
    if (this.parts.length > 0 && end < this.array.size) gaps.push([end, this.array.size]);
    return gaps;
  }

  /** The values rounded to f16, for products whose other operand is of f16. */
  half(): GpuArray {
    return this.halves.view();
  }

  /** Replaces the values (row-major). */
  write(data: HostData): void {
    this.engine.runtime.write(this.array, data);
    this.halves.invalidate();
  }
}
