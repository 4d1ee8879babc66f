/** Gives damaged files to a reader and sees to it that each is read, or refused as it should be. */
import fc from 'fast-check';
import type { Reader } from './reader.js';

/** An input of more is not made here, so that no reader has a reason to take more than this for one. */
const MOST_BYTES_TAKEN = 64 * 2 ** 20;
/** A reader that takes longer over a few kilobytes would hang over a file. Far beyond what a slow machine needs. */
const LONGEST_MS = 20_000;
/** A message is for people to read. */
const LONGEST_MESSAGE = 10_000;

/** An input with which a reader does what it must not do. */
export interface Finding {
  readonly what: string;
  readonly input: Uint8Array;
  readonly stack: string;
}

export interface FuzzResult {
  readonly name: string;
  readonly inputs: number;
  readonly accepted: number;
  readonly refused: number;
  readonly findings: readonly Finding[];
  readonly durationMs: number;
}

class Misbehaviour extends Error {}

/**
 * Reads an input.
 *
 * @throws Misbehaviour unless it is accepted (true) or refused (false) as it should be
 */
async function tryReader(reader: Reader, input: Uint8Array): Promise<boolean> {
  const takenBefore = process.memoryUsage().external;
  const begin = performance.now();
  let accepted = true;
  try {
    await reader.read(input);
  } catch (error) {
    accepted = false;
    const { name, message, stack } = error as Error;
    const fail = (what: string) => {
      const misbehaviour = new Misbehaviour(what);
      misbehaviour.stack = stack;
      return misbehaviour;
    };
    if (!reader.refusals.includes(name)) throw fail(`${name}: ${message}`.slice(0, 300));
    if (!message.includes(reader.names ?? '')) throw fail(`does not name the file: ${message.slice(0, 300)}`);
    if (message.length > LONGEST_MESSAGE) throw fail(`a message of ${message.length} characters`);
  }
  const durationMs = performance.now() - begin;
  if (durationMs > LONGEST_MS) throw new Misbehaviour(`took ${durationMs.toFixed(0)} ms`);
  const taken = process.memoryUsage().external - takenBefore;
  if (taken > MOST_BYTES_TAKEN) throw new Misbehaviour(`took ${taken} bytes for ${input.length}`);
  return accepted;
}

/** What tells one defect from another: where it shows. */
const placeOf = (error: Error) =>
  error.stack?.split('\n').find((line) => line.includes('    at ')) ?? error.message.replace(/\d+/g, 'n');

export interface FuzzOptions {
  readonly inputs: number;
  readonly seed: number;
  /** Different defects after which a reader is given up. */
  readonly mostFindings?: number;
  /** Told now and then how many inputs are done. */
  readonly onProgress?: (inputs: number) => void;
}

/** Runs a reader on so many damaged files, the same ones for the same seed, and reduces what it finds to small inputs. */
export async function fuzzReader(
  reader: Reader,
  { inputs, seed, mostFindings = 5, onProgress }: FuzzOptions,
): Promise<FuzzResult> {
  const begin = performance.now();
  const findings = new Map<string, Finding>();
  let [accepted, refused] = [0, 0];
  for (let round = 0; accepted + refused < inputs && findings.size < mostFindings; round++) {
    const counted = fc.asyncProperty(reader.inputs, async (input) => {
      try {
        if (await tryReader(reader, input)) accepted++;
        else refused++;
      } catch (error) {
        if (!(error instanceof Misbehaviour)) throw error;
        refused++;
        if (!findings.has(placeOf(error))) throw error;
      }
      if ((accepted + refused) % 500 === 0) onProgress?.(accepted + refused);
    });
    const details = await fc.check(counted, {
      numRuns: inputs - accepted - refused,
      seed: seed + round,
      endOnFailure: false,
    });
    if (!details.failed) continue;
    const error = details.errorInstance as Error;
    const input = details.counterexample?.[0] ?? new Uint8Array(0);
    findings.set(placeOf(error), { what: error.message, input, stack: error.stack ?? '' });
  }
  const durationMs = performance.now() - begin;
  return {
    ...{ name: reader.name, inputs: accepted + refused, accepted, refused, durationMs },
    findings: [...findings.values()],
  };
}
