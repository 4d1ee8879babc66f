import { TubeletError } from '@tubelet/kernels';
import type { SafetensorsTensor } from '../formats/safetensors-header.js';
import { safetensorsFloat32 } from '../formats/safetensors.js';
import { readByName } from './bank-state.js';
import type { ParameterStore } from './parameter-store.js';

/** A state dict does not fit the model it is loaded into. */
export class StateDictMismatchError extends TubeletError {
  constructor(
    readonly missing: readonly string[],
    readonly unexpected: readonly string[],
    readonly misshapen: readonly string[],
  ) {
    const parts = [
      list('missing', missing),
      list('not in this model', unexpected),
      list('of another shape', misshapen),
    ].filter((part) => part !== '');
    super(
      `the weights do not fit the model: ${parts.join('; ')}. Load them into a model of the size they came from.`,
    );
  }
}

/** What loading did with each name. */
export interface LoadReport {
  readonly matched: readonly string[];
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
}

/** All parameters as host tensors under their names. Waits for the GPU. */
export async function readStateDict(store: ParameterStore): Promise<Map<string, SafetensorsTensor>> {
  const values = await readByName(
    store,
    store.banks.map((bank) => bank.values),
  );
  const result = new Map<string, SafetensorsTensor>();
  for (const [name, { array }] of store.parameters) {
    result.set(name, { dtype: 'F32', shape: [...array.shape], data: values.get(name)! });
  }
  return result;
}

/**
 * Writes host tensors into the parameters of the same names. Nothing is written when a shape differs, or,
 * with `strict` (the default), when a name is missing or unexpected: then `StateDictMismatchError` is thrown;
 * nor when a dtype is not a floating-point one (`SafetensorsError`).
 */
export function loadStateDict(
  store: ParameterStore,
  tensors: ReadonlyMap<string, SafetensorsTensor>,
  { strict = true }: { strict?: boolean } = {},
): LoadReport {
  const matched: string[] = [];
  const missing: string[] = [];
  const misshapen: string[] = [];
  for (const [name, { shape }] of store.parameters) {
    const tensor = tensors.get(name);
    if (!tensor) missing.push(name);
    else if (
      tensor.shape.length !== shape.length ||
      tensor.shape.some((extent, axis) => extent !== shape[axis])
    ) {
      misshapen.push(`${name} [${tensor.shape.join(', ')}] instead of [${shape.join(', ')}]`);
    } else matched.push(name);
  }
  const unexpected = [...tensors.keys()].filter((name) => !store.parameters.has(name));
  if (misshapen.length > 0 || (strict && missing.length + unexpected.length > 0)) {
    throw new StateDictMismatchError(missing, unexpected, misshapen);
  }
  // All are converted first: a dtype that is none of numbers must not leave half of them written.
  const values = matched.map((name) => safetensorsFloat32(name, tensors.get(name)!));
  matched.forEach((name, i) => store.get(name).write(values[i]!));
  return { matched, missing, unexpected };
}

function list(what: string, names: readonly string[]): string {
  if (names.length === 0) return '';
  const shown = names.slice(0, 4).join(', ');
  return `${names.length} ${what} (${shown}${names.length > 4 ? ', …' : ''})`;
}
