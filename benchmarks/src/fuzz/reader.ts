import type fc from 'fast-check';

/** What reads bytes that somebody else has written. */
export interface Reader {
  readonly name: string;
  /** Damaged files. */
  readonly inputs: fc.Arbitrary<Uint8Array>;
  /** Names of the errors by which it refuses a file. */
  readonly refusals: readonly string[];
  /** What every refusal must name, such as the file. */
  readonly names?: string;
  /** How many inputs of a whole run are its. */
  readonly share: number;
  read(bytes: Uint8Array): unknown;
}
