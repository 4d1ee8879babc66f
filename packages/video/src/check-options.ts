/** Checks that several option lists share. */

/** @throws RangeError that names the option and its value */
export function requireInteger(name: string, value: number, minimum: number): void {
  if (!Number.isSafeInteger(value) || value < minimum) {
    throw new RangeError(`${name} is ${value}: give an integer of at least ${minimum}.`);
  }
}
