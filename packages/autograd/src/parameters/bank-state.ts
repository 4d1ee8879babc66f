import type { GpuArray } from '@tubelet/kernels';
import type { ParameterStore } from './parameter-store.js';

/**
 * The values that flat arrays with the layout of the banks hold for each parameter, row-major, by name in the order
 * of declaration. Waits for the GPU.
 */
export async function readByName(
  store: ParameterStore,
  arrays: readonly GpuArray[],
): Promise<Map<string, Float32Array>> {
  const flat: Float32Array[] = [];
  for (const array of arrays) flat.push(await store.engine.runtime.read(array));
  const result = new Map<string, Float32Array>();
  for (const [name, { array }] of store.parameters) {
    const { bank, offset } = store.placeOf(name);
    result.set(name, flat[bank]!.slice(offset, offset + array.size));
  }
  return result;
}

/**
 * Checks, before anything is written, that `values` are those of every parameter; `complaint` begins the message.
 *
 * @throws RangeError when a parameter is missing, has another size or is unknown
 */
export function requireOfAll(
  store: ParameterStore,
  values: ReadonlyMap<string, Float32Array>,
  complaint: string,
): void {
  for (const name of values.keys()) store.get(name);
  for (const [name, { array }] of store.parameters) {
    if (values.get(name)?.length !== array.size) {
      throw new RangeError(
        `${complaint} for parameter "${name}" of ${array.size} elements; restore what was saved of this model`,
      );
    }
  }
}

/** Overwrites such arrays with values by name, which have been checked by `requireOfAll`; padding becomes zero. */
export function writeByName(
  store: ParameterStore,
  arrays: readonly GpuArray[],
  values: ReadonlyMap<string, Float32Array>,
): void {
  const flat = store.banks.map(({ size }) => new Float32Array(size));
  for (const [name, data] of values) {
    const { bank, offset } = store.placeOf(name);
    flat[bank]!.set(data, offset);
  }
  arrays.forEach((array, bank) => store.engine.runtime.write(array, flat[bank]!));
}
