import { parse } from 'node:path';

/** How many missing numbers a description names. */
const NAMED = 5;

/**
 * What is wrong with the numbering of a clip's frames, or null when nothing is. A frame's number is the last run of
 * digits in its name; names without one are not judged.
 *
 * @param names of the frames, in order
 */
export function frameNumberProblem(names: readonly string[]): string | null {
  const numbered = names.map((name) => /(\d+)\D*$/.exec(parse(name).name)?.[1]);
  if (numbered.length < 2 || numbered.some((digits) => digits === undefined)) return null;
  const numbers = numbered.map(Number);
  const byNumber = new Map<number, string>();
  for (const [i, number] of numbers.entries()) {
    const other = byNumber.get(number);
    if (other !== undefined) return `${other} and ${names[i]} have the same frame number`;
    byNumber.set(number, names[i]!);
  }
  const ascending = [...byNumber.keys()].sort((a, b) => a - b);
  const first = ascending[0]!;
  const last = ascending.at(-1)!;
  const missingCount = last - first + 1 - ascending.length;
  if (missingCount === 0) return null;
  const step = ascending[1]! - first;
  if (step > 1 && ascending.every((number, i) => number === first + i * step)) {
    return `its ${ascending.length} frames are numbered ${first} to ${last} in steps of ${step}`;
  }
  const missing: number[] = [];
  for (let number = first; missing.length < Math.min(NAMED, missingCount); number++) {
    if (!byNumber.has(number)) missing.push(number);
  }
  const named = missing.join(', ') + (missingCount > missing.length ? ', …' : '');
  return `${missingCount} of the frame numbers ${first} to ${last} are missing: ${named}`;
}
