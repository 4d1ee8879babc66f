import { PARAMETER_BLOCK, type ParameterStore } from './parameters.js';

/** Parameters that share a learning-rate factor and a weight decay. */
export interface ParameterGroup {
  readonly parameters: readonly string[];
  /** Multiplies the step's learning rate (layer-wise decay); default 1. */
  readonly learningRateScale?: number;
  readonly weightDecay: number;
}

/** Two groups: what weight decay is for, and the rest. */
export function decayGroups(store: ParameterStore, weightDecay: number): ParameterGroup[] {
  const [decayed, others]: [string[], string[]] = [[], []];
  for (const [name, { decays }] of store.parameters) (decays ? decayed : others).push(name);
  return [
    { parameters: decayed, weightDecay },
    { parameters: others, weightDecay: 0 },
  ];
}

/**
 * The number of the group of each block of each bank. Throws `RangeError` when a parameter is in no group, in two, or
 * unknown, and when groups divide a pack.
 */
export function blockGroups(store: ParameterStore, groups: readonly ParameterGroup[]): Uint32Array[] {
  const blocks = store.banks.map((bank) => new Uint32Array(bank.size / PARAMETER_BLOCK).fill(0xffffffff));
  const groupOf = new Map<string, number>();
  groups.forEach((group, index) => {
    for (const name of group.parameters) {
      if (groupOf.has(name)) throw new RangeError(`parameter "${name}" is in two optimiser groups`);
      groupOf.set(name, index);
      const { bank, offset } = store.placeOf(name);
      const last = offset + store.get(name).array.size - 1;
      for (let i = Math.floor(offset / PARAMETER_BLOCK); i <= Math.floor(last / PARAMETER_BLOCK); i++) {
        const there = blocks[bank]![i]!;
        if (there !== 0xffffffff && there !== index) {
          throw new RangeError(`parameter "${name}" shares a pack with one of another optimiser group`);
        }
        blocks[bank]![i] = index;
      }
    }
  });
  for (const name of store.parameters.keys()) {
    if (!groupOf.has(name)) throw new RangeError(`parameter "${name}" is in no optimiser group`);
  }
  // Blocks of padding hold only zeros, which every group leaves at zero.
  for (const array of blocks) array.forEach((group, i) => (array[i] = group === 0xffffffff ? 0 : group));
  return blocks;
}
