import type { Parameter } from '../engine/parameter.js';
import { PARAMETER_BLOCK, type ParameterStore } from '../parameters/parameter-store.js';

/** Parameters that are trained otherwise than the rest, e.g. those of one block. */
export interface ParameterGroup {
  readonly parameters: readonly Parameter[];
  /** Multiplies the step's learning rate; default 1. */
  readonly learningRateScale?: number;
  /** Of all of them; default: the optimiser's, of those that it is for. */
  readonly weightDecay?: number;
}

/** How an optimiser treats parameters that are alike. */
export interface Treatment {
  readonly learningRateScale: number;
  readonly weightDecay: number;
}

/**
 * What differs between parameters: each treatment that there is, and for each bank the number of that of each block.
 *
 * @throws RangeError for a weight decay or learning-rate scale that is not a finite number of at least 0, a parameter in two
 *   groups or of another store, and groups that divide a pack
 */
export function treatments(
  optimiser: string,
  store: ParameterStore,
  { weightDecay, groups = [] }: { weightDecay: number; groups?: readonly ParameterGroup[] | undefined },
): { readonly table: readonly Treatment[]; readonly ofBlocks: Uint32Array[] } {
  requireNotNegative(optimiser, 'weightDecay', weightDecay);
  const groupOf = new Map<Parameter, ParameterGroup>();
  groups.forEach((group, i) => {
    requireNotNegative(optimiser, `learningRateScale of group ${i}`, group.learningRateScale ?? 1);
    requireNotNegative(optimiser, `weightDecay of group ${i}`, group.weightDecay ?? 0);
    for (const parameter of group.parameters) {
      const { name } = parameter;
      if (store.parameters.get(name) !== parameter) {
        throw new RangeError(`${optimiser}: parameter "${name}" of group ${i} is not one of the store's`);
      }
      if (groupOf.has(parameter)) throw new RangeError(`${optimiser}: parameter "${name}" is in two groups`);
      groupOf.set(parameter, group);
    }
  });
  const table: Treatment[] = [];
  const numbers = new Map<string, number>();
  const ofBlocks = store.banks.map((bank) => new Uint32Array(bank.size / PARAMETER_BLOCK).fill(NOBODY));
  for (const [name, parameter] of store.parameters) {
    const group = groupOf.get(parameter);
    const own = {
      learningRateScale: group?.learningRateScale ?? 1,
      weightDecay: group?.weightDecay ?? (parameter.decays ? weightDecay : 0),
    };
    const key = `${own.learningRateScale} ${own.weightDecay}`;
    const number = numbers.get(key) ?? table.push(own) - 1;
    numbers.set(key, number);
    const { bank, offset } = store.placeOf(name);
    const last = offset + parameter.array.size - 1;
    for (let i = Math.floor(offset / PARAMETER_BLOCK); i <= Math.floor(last / PARAMETER_BLOCK); i++) {
      const there = ofBlocks[bank]![i]!;
      if (there !== NOBODY && there !== number) {
        throw new RangeError(
          `${optimiser}: parameter "${name}" shares a pack with one of another learning rate or weight decay`,
        );
      }
      ofBlocks[bank]![i] = number;
    }
  }
  // Blocks of padding hold only zeros, which every treatment leaves at zero.
  for (const blocks of ofBlocks) blocks.forEach((number, i) => (blocks[i] = number === NOBODY ? 0 : number));
  return { table, ofBlocks };
}

const NOBODY = 0xffffffff;

/** @throws RangeError, naming the optimiser, for a number that is not finite or below 0 */
export function requireNotNegative(optimiser: string, name: string, value: number): void {
  if (!(value >= 0 && value < Infinity)) {
    throw new RangeError(`${optimiser}: ${name} is ${value}, it must be a finite number of at least 0`);
  }
}
