import type { AdapterSummary } from '../runtime/adapter.js';
import { TubeletError } from '../runtime/errors.js';
import { shapeClassParts, shapeDistance, type ShapeClass } from '../runtime/shape-class.js';
import type { VariantTuning } from '../runtime/variants.js';
import { digestOf } from './digest.js';

/** A table of measured choices cannot be used; the message says which, why, and what to do. */
export class TuningTableError extends TubeletError {}

/** On what a table was measured: it holds for nothing else. */
export interface TuningIdentity {
  /** What the adapter says of itself, its driver's version included. */
  readonly adapter: Readonly<Record<string, string | number>>;
  /** What turns WGSL into the driver's language, with its version. */
  readonly compiler: string;
  /** Digest of the WGSL of all kernels that have a choice. */
  readonly kernels: string;
}

/** The variant of a kernel that was fastest on a class of shapes. */
export interface TuningChoice {
  readonly kernel: string;
  readonly shape: ShapeClass;
  readonly variant: string;
}

/** The part of an identity that an adapter gives. */
export function adapterIdentity(adapter: AdapterSummary): TuningIdentity['adapter'] {
  const { vendor, architecture, device, description, subgroupMinSize, subgroupMaxSize, features } = adapter;
  return {
    vendor,
    architecture,
    device,
    description,
    subgroupMinSize,
    subgroupMaxSize,
    features: [...features].sort().join(' '),
  };
}

/**
 * Which variant of each kernel was fastest, by classes of shapes. A class that was not measured takes the choice of
 * the nearest one that was, of the same form: the one with the fewest doublings between them, the smaller of two.
 */
export class TuningTable implements VariantTuning {
  readonly choices: readonly TuningChoice[];
  /** Names identity and choices: two runs with the same digest use the same variants. */
  readonly digest: string;
  private readonly byKernel = new Map<string, Map<ShapeClass, string | undefined>>();
  private readonly measured = new Map<string, readonly TuningChoice[]>();

  /** @throws TuningTableError when a kernel has two choices for one class */
  constructor(
    readonly identity: TuningIdentity,
    choices: readonly TuningChoice[],
  ) {
    this.choices = [...choices].sort((a, b) =>
      a.kernel === b.kernel ? a.shape - b.shape : a.kernel < b.kernel ? -1 : 1,
    );
    for (const choice of this.choices) {
      const { kernel, shape, variant } = choice;
      const found = this.byKernel.get(kernel) ?? new Map<ShapeClass, string | undefined>();
      if (found.has(shape)) {
        const { extents } = shapeClassParts(shape);
        throw new TuningTableError(`two choices for kernel ${kernel} at ${extents.join('×')}`);
      }
      this.byKernel.set(kernel, found.set(shape, variant));
      this.measured.set(kernel, [...(this.measured.get(kernel) ?? []), choice]);
    }
    const { adapter, compiler, kernels } = identity;
    const names = Object.entries(adapter).sort(([a], [b]) => (a < b ? -1 : 1));
    const lines = this.choices.map(({ kernel, shape, variant }) => [kernel, shape, variant]);
    this.digest = digestOf(JSON.stringify([names, compiler, kernels, lines]));
  }

  choose(kernel: string, shape: ShapeClass): string | undefined {
    const known = this.byKernel.get(kernel);
    if (!known) return undefined;
    const variant = known.get(shape);
    if (variant !== undefined || known.has(shape)) return variant;
    const nearest = this.nearest(kernel, shape);
    known.set(shape, nearest);
    return nearest;
  }

  private nearest(kernel: string, shape: ShapeClass): string | undefined {
    let variant: string | undefined;
    let least = Infinity;
    for (const choice of this.measured.get(kernel) ?? []) {
      const distance = shapeDistance(choice.shape, shape);
      if (distance >= least) continue;
      least = distance;
      variant = choice.variant;
    }
    return variant;
  }
}

/** In what two identities differ, in words; undefined where they are the same. */
export function identityDifference(table: TuningIdentity, here: TuningIdentity): string | undefined {
  if (canonical(table.adapter) !== canonical(here.adapter)) {
    const name = ({ adapter }: TuningIdentity) => JSON.stringify(adapter.description || adapter.device);
    return name(table) === name(here)
      ? `it was measured on ${name(table)} with other features`
      : `it was measured on ${name(table)}, and this is ${name(here)}`;
  }
  if (table.compiler !== here.compiler) {
    return `it was measured with ${table.compiler}, and this is ${here.compiler}`;
  }
  return table.kernels === here.kernels ? undefined : 'the kernels have changed since it was measured';
}

function canonical(adapter: TuningIdentity['adapter']): string {
  return JSON.stringify(Object.entries(adapter).sort(([a], [b]) => (a < b ? -1 : 1)));
}
