import { GpuArray, product, type Runtime, type Storage } from '@tubelet/kernels';
import { Parameter } from '../engine/parameter.js';
import type { Tape, TrainedStore } from '../engine/tensor.js';
import { WeightTwin } from './weight-twin.js';

/** What to store under one published name. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** Whether weight decay is for it; default: where it has more than one axis, so neither for biases nor for norms. */
  readonly decays?: boolean;
}

/** Values that stay zero inside a pack, e.g. the missing key bias between those of queries and values. */
export interface PackGap {
  readonly gap: number;
}

/** Parameters that lie one after the other in memory, so that one kernel can use them as one array. */
export interface PackSpec {
  readonly pack: string;
  readonly shape: readonly number[];
  readonly parts: readonly (ParameterSpec | PackGap)[];
}

/** One flat allocation: values, gradients and whatever an optimiser adds share its layout. */
export interface ParameterBank {
  readonly values: GpuArray;
  readonly gradients: GpuArray;
  readonly size: number;
}

/** Every entry of a bank starts on a multiple of this, so that optimisers can look up groups by block. */
export const PARAMETER_BLOCK = 256;

interface Placed {
  readonly bank: number;
  readonly offset: number;
}

/** How parameters are laid out. */
export interface ParameterStoreOptions {
  /** Most bytes of one bank; default and upper bound: what the adapter lets one binding be. */
  readonly maxBankBytes?: number;
}

/**
 * All parameters of a model in few flat banks, so that an optimiser needs one dispatch a bank instead of one a
 * parameter. A bank is as large as the adapter lets one binding be.
 */
export class ParameterStore implements TrainedStore {
  readonly banks: readonly ParameterBank[];
  /** The values in f16, for products; to be told of everything that writes values and is not `Parameter.write`. */
  readonly twin: WeightTwin;
  private readonly byName = new Map<string, Parameter>();
  private readonly packs = new Map<string, Parameter>();
  private readonly placement = new Map<string, Placed>();

  /** @throws RangeError for names declared twice, packs whose parts do not fill them, and what fits in no bank */
  constructor(
    readonly engine: Tape,
    specs: readonly (ParameterSpec | PackSpec)[],
    { maxBankBytes = Infinity }: ParameterStoreOptions = {},
  ) {
    const { runtime } = engine;
    requireConsistent(specs);
    const limitBytes = Math.min(runtime.device.limits.maxStorageBufferBindingSize, maxBankBytes);
    const limit = Math.floor(limitBytes / 4 / PARAMETER_BLOCK) * PARAMETER_BLOCK;
    const sizes: number[] = [0];
    const places = specs.map((spec): Placed => {
      const needed = Math.ceil(product(spec.shape) / PARAMETER_BLOCK) * PARAMETER_BLOCK;
      if (needed > limit) {
        throw new RangeError(
          `parameter ${specName(spec)} needs ${needed} elements in one bank, which may have ${limit}`,
        );
      }
      if (sizes[sizes.length - 1]! + needed > limit) sizes.push(0);
      const bank = sizes.length - 1;
      const offset = sizes[bank]!;
      sizes[bank] = offset + needed;
      return { bank, offset };
    });
    this.banks = sizes.filter((size) => size > 0).map((size) => createBank(runtime, size));
    this.twin = new WeightTwin(
      runtime,
      this.banks.map(({ values }) => values),
    );
    specs.forEach((spec, i) => this.place(spec, places[i]!));
    engine.stores.add(this);
  }

  /** All parameters by name, in the order of declaration. */
  get parameters(): ReadonlyMap<string, Parameter> {
    return this.byName;
  }

  /** Number of trained values (padding and gaps not counted). */
  get count(): number {
    let sum = 0;
    for (const parameter of this.byName.values()) sum += parameter.array.size;
    return sum;
  }

  /** The parameter of this name; throws when there is none. */
  get(name: string): Parameter {
    const found = this.byName.get(name);
    if (!found) throw new RangeError(`there is no parameter "${name}"`);
    return found;
  }

  /** The pack of this name as one tensor; throws when there is none. */
  pack(name: string): Parameter {
    const found = this.packs.get(name);
    if (!found) throw new RangeError(`there is no parameter pack "${name}"`);
    return found;
  }

  /** Bank and first element of a parameter, for arrays with the layout of the banks. */
  placeOf(name: string): { bank: number; offset: number } {
    const placed = this.placement.get(name);
    if (!placed) throw new RangeError(`there is no parameter "${name}"`);
    return placed;
  }

  /** Forgets all gradients: the next backward pass overwrites them. */
  zeroGradients(): void {
    for (const parameter of this.byName.values()) parameter.hasGradient = false;
  }

  /** Brings the values in f16 up to date where a step has read them, which a replayed step does not do by itself. */
  prepareStep(): void {
    this.twin.refresh();
  }

  /** Which parameters have a gradient, in the order of declaration. */
  gradientFlags(): boolean[] {
    return Array.from(this.byName.values(), (parameter) => parameter.hasGradient);
  }

  /** Says again which parameters have a gradient, as `gradientFlags` gave it. */
  restoreGradientFlags(flags: readonly boolean[]): void {
    let i = 0;
    for (const parameter of this.byName.values()) parameter.hasGradient = flags[i++]!;
  }

  /** Makes the gradients of parameters that no gradient reached zero instead of stale. */
  completeGradients(): void {
    for (const parameter of this.byName.values()) {
      if (!parameter.hasGradient) {
        this.engine.runtime.clear(parameter.gradient);
        parameter.hasGradient = true;
      }
    }
  }

  /** Zero-filled flat arrays with the layout of the banks, e.g. optimiser moments. */
  createLike(label: string): GpuArray[] {
    const { runtime } = this.engine;
    return this.banks.map((bank) => zeros(runtime, bank.size, label));
  }

  /** Returns the memory of values and gradients to the pool; the parameters must not be used again. */
  release(): void {
    const { runtime, stores } = this.engine;
    stores.delete(this);
    this.twin.release();
    for (const { values, gradients } of this.banks) {
      runtime.release(values);
      runtime.release(gradients);
    }
  }

  private place(spec: ParameterSpec | PackSpec, { bank, offset }: Placed): void {
    const { values, gradients } = this.banks[bank]!;
    const sizeBytes = Math.ceil(product(spec.shape) / PARAMETER_BLOCK) * PARAMETER_BLOCK * 4;
    const { pool } = this.engine.runtime;
    const [value, gradient] = [values, gradients].map(({ storage }) =>
      pool.region(storage, offset * 4, sizeBytes),
    ) as [Storage, Storage];
    const make = (
      { name, shape, decays = shape.length > 1 }: ParameterSpec,
      start: number,
      parts?: readonly Parameter[],
    ) =>
      new Parameter(
        this.engine,
        new GpuArray(value, 'f32', shape, undefined, start),
        new GpuArray(gradient, 'f32', shape, undefined, start),
        {
          view: () => this.twin.view(bank, offset + start, shape),
          invalidate: () => this.twin.invalidate(),
        },
        name,
        parts,
        decays,
      );
    const add = (part: ParameterSpec, start: number): Parameter => {
      const { name } = part;
      const parameter = make(part, start);
      this.byName.set(name, parameter);
      this.placement.set(name, { bank, offset: offset + start });
      return parameter;
    };
    if (!('pack' in spec)) {
      add(spec, 0);
      return;
    }
    const parts: Parameter[] = [];
    let start = 0;
    for (const part of spec.parts) {
      if ('gap' in part) {
        start += part.gap;
      } else {
        parts.push(add(part, start));
        start += product(part.shape);
      }
    }
    this.packs.set(spec.pack, make({ name: spec.pack, shape: spec.shape }, 0, parts));
  }
}

// Before any memory is taken, which nobody would give back.
function requireConsistent(specs: readonly (ParameterSpec | PackSpec)[]): void {
  const names = new Set<string>();
  const packs = new Set<string>();
  const requireNew = (seen: Set<string>, name: string, what: string) => {
    if (seen.has(name)) throw new RangeError(`${what} "${name}" is declared twice`);
    seen.add(name);
  };
  const requireShape = ({ shape }: { readonly shape: readonly number[] }, name: string) => {
    if (shape.some((extent) => !Number.isInteger(extent) || extent < 1)) {
      throw new RangeError(`"${name}" has shape [${shape.join(', ')}]: extents must be positive integers`);
    }
  };
  for (const spec of specs) {
    requireShape(spec, specName(spec));
    if (!('pack' in spec)) {
      requireNew(names, spec.name, 'parameter');
      continue;
    }
    requireNew(packs, spec.pack, 'pack');
    let size = 0;
    for (const part of spec.parts) {
      if ('gap' in part) {
        size += part.gap;
      } else {
        requireShape(part, part.name);
        requireNew(names, part.name, 'parameter');
        size += product(part.shape);
      }
    }
    if (size !== product(spec.shape)) {
      throw new RangeError(
        `the parts of pack "${spec.pack}" have ${size} elements, its shape ${product(spec.shape)}`,
      );
    }
  }
}

function createBank(runtime: Runtime, size: number): ParameterBank {
  return { values: zeros(runtime, size, 'parameters'), gradients: zeros(runtime, size, 'gradients'), size };
}

function zeros(runtime: Runtime, size: number, label: string): GpuArray {
  const array = runtime.keep(runtime.empty([size], 'f32', label));
  runtime.clear(array);
  return array;
}

function specName(spec: ParameterSpec | PackSpec): string {
  return 'pack' in spec ? spec.pack : spec.name;
}
