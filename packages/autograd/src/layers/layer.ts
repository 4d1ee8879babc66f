import { PhiloxStream } from '@tubelet/kernels';
import type { Parameter } from '../engine/parameter.js';
import type { Tape, Tensor } from '../engine/tensor.js';
import {
  ParameterStore,
  type PackGap,
  type PackSpec,
  type ParameterSpec,
} from '../parameters/parameter-store.js';
import { INITIALISE_PURPOSE, type Initialiser } from './initialisers.js';

/** A trained tensor that a layer owns: it has a shape from the start, and values once the layer is on an engine. */
export class Weight {
  private placed: Parameter | undefined;

  constructor(
    readonly shape: readonly number[],
    readonly init: Initialiser,
    readonly decays: boolean,
  ) {}

  /** @throws Error before `init` or `bind` of a layer that it belongs to */
  get tensor(): Parameter {
    if (this.placed) return this.placed;
    throw new Error(
      `a parameter [${this.shape.join(', ')}] has no values yet: call init(engine) of the whole net first`,
    );
  }

  /** Gives it its place; throws `Error` where it has one. */
  place(tensor: Parameter): void {
    if (this.placed) {
      throw new Error(`${this.placed.name} is on an engine already, or twice in one net: make a layer anew`);
    }
    this.placed = tensor;
  }
}

/** Weights that lie one after the other in memory, so that one kernel can use them as one array. */
export class Pack {
  private placed: Parameter | undefined;

  constructor(
    readonly shape: readonly number[],
    readonly parts: Readonly<Record<string, Weight | PackGap>>,
  ) {}

  /**
   * All of it as one tensor.
   *
   * @throws Error before `init` or `bind` of a layer that it belongs to
   */
  get tensor(): Parameter {
    if (this.placed) return this.placed;
    throw new Error(
      `a pack [${this.shape.join(', ')}] has no values yet: call init(engine) of the whole net first`,
    );
  }

  /** Gives it its place. */
  place(tensor: Parameter): void {
    this.placed = tensor;
  }
}

/** What a layer is made of, under the names that follow in a state dict; what is undefined is left out. */
export type Children = Readonly<Record<string, Weight | Pack | LayerTree | undefined>>;

/** The parameters of a layer and of all layers inside of it. */
export interface LayerTree {
  readonly children: Children;
  /**
   * All parameters by name.
   *
   * @throws Error before `init` or `bind`
   */
  readonly store: ParameterStore;
  /**
   * All parameters, in order.
   *
   * @throws Error before `init` or `bind` of a layer that it belongs to
   */
  parameters(): Parameter[];
  /** Puts the parameters on an engine, with the first values of a seed: `bind`, and then `initialise`. */
  init(engine: Tape, options?: { readonly seed?: number }): this;
  /**
   * Puts the parameters on an engine, all zero, e.g. to load a state dict.
   *
   * @throws Error where the layer is on an engine already
   */
  bind(engine: Tape): this;
  /**
   * Gives the parameters their first values; equal seeds give equal values.
   *
   * @throws Error before `bind`
   */
  initialise(options?: { readonly seed?: number }): void;
}

/** A function of tensors together with the parameters that it uses. */
export type Layer<Forward extends (...args: never[]) => unknown = (x: Tensor) => Tensor> = Forward &
  LayerTree;

/** A trained tensor. By default weight decay is for what has more than one axis: neither biases nor scales of norms. */
export function parameter(
  shape: readonly number[],
  init: Initialiser,
  { decays = shape.length > 1 }: { readonly decays?: boolean } = {},
): Weight {
  return new Weight(shape, init, decays);
}

/** Weights side by side as one array of `shape`. Its own name is not part of theirs. */
export function pack(shape: readonly number[], parts: Readonly<Record<string, Weight | PackGap>>): Pack {
  return new Pack(shape, parts);
}

/** Layers and parameters under names, for a model that is more than one function of them. */
export function tree(children: Children): LayerTree {
  let store: ParameterStore | undefined;
  return {
    children,
    get store() {
      if (store) return store;
      throw new Error('the layer has no parameters yet: call its init(engine)');
    },
    parameters() {
      return weightsOf(this).map(({ tensor }) => tensor);
    },
    bind(engine) {
      const made = new ParameterStore(engine, parameterSpecs(children));
      try {
        placeAll(children, made, '');
      } catch (error) {
        made.release();
        throw error;
      }
      store = made;
      return this;
    },
    initialise({ seed = 0 } = {}) {
      weightsOf(this).forEach(({ tensor, init, shape }, sample) => {
        const random = new PhiloxStream({ seed, purpose: INITIALISE_PURPOSE, epoch: 0, sample });
        tensor.write(init(shape, random));
      });
    },
    init(engine, options) {
      this.bind(engine).initialise(options);
      return this;
    },
  };
}

/** A layer of its own: `forward` uses the children, by `weight.tensor` or by calling them. */
export function layer<Forward extends (...args: never[]) => unknown>(
  children: Children,
  forward: Forward,
): Layer<Forward> {
  // The name of a function that calls another would be in the way of a child's.
  const made = ((...args: Parameters<Forward>) => forward(...args)) as unknown as Forward;
  return Object.defineProperties(made, Object.getOwnPropertyDescriptors(tree(children))) as Layer<Forward>;
}

/** Names and shapes of all parameters as they are stored, in order; it takes no engine. */
export function parameterShapes({ children }: Pick<LayerTree, 'children'>): Map<string, readonly number[]> {
  const parts = parameterSpecs(children).flatMap((spec) => ('pack' in spec ? [...spec.parts] : [spec]));
  return new Map(parts.flatMap((part) => ('name' in part ? [[part.name, part.shape] as const] : [])));
}

/** Names and shapes of what the children store, in order. */
function parameterSpecs(children: Children, prefix = ''): (ParameterSpec | PackSpec)[] {
  return Object.entries(children).flatMap(([key, child]): (ParameterSpec | PackSpec)[] => {
    const name = prefix + key;
    if (child === undefined) return [];
    if (child instanceof Weight) return [specOf(name, child)];
    if (!(child instanceof Pack)) return parameterSpecs(child.children, `${name}.`);
    const parts = Object.entries(child.parts).map(([part, weight]) =>
      weight instanceof Weight ? specOf(prefix + part, weight) : weight,
    );
    return [{ pack: name, shape: child.shape, parts }];
  });
}

/** The weights of a layer and of all inside of it, in order. */
function weightsOf({ children }: Pick<LayerTree, 'children'>): Weight[] {
  return Object.values(children).flatMap((child): Weight[] => {
    if (child === undefined) return [];
    if (child instanceof Weight) return [child];
    if (child instanceof Pack) return Object.values(child.parts).filter((part) => part instanceof Weight);
    return weightsOf(child);
  });
}

function specOf(name: string, { shape, decays }: Weight): ParameterSpec {
  return { name, shape, decays };
}

function placeAll(children: Children, store: ParameterStore, prefix: string): void {
  for (const [key, child] of Object.entries(children)) {
    const name = prefix + key;
    if (child === undefined) continue;
    if (child instanceof Weight) child.place(store.get(name));
    else if (!(child instanceof Pack)) placeAll(child.children, store, `${name}.`);
    else {
      child.place(store.pack(name));
      for (const [part, weight] of Object.entries(child.parts)) {
        if (weight instanceof Weight) weight.place(store.get(prefix + part));
      }
    }
  }
}
