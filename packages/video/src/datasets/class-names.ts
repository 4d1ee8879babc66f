import { cutOff, readText } from './files.js';
import type { Problems } from './problems.js';

/** More than any data set has: a confusion matrix of them would fill the memory. */
const MOST_CLASSES = 10_000;

/**
 * Reads the names of the classes, one a line, in the order of their labels. Empty lines at the end are not names.
 * What is wrong with the file becomes problems.
 */
export function readClassNames(file: string, problems: Problems): string[] {
  const before = problems.count;
  const remedy = 'Write the names of the classes into it, one a line in the order of their labels';
  const text = readText(file, remedy, problems);
  if (text === undefined) return [];
  const names = text
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.trim());
  if (names.length > MOST_CLASSES) {
    problems.add(file, `it names ${names.length} classes`, `Give at most ${MOST_CLASSES}`);
    return [];
  }
  const firsts = new Map<string, number>();
  for (const [label, name] of names.entries()) {
    const where = `${file}:${label + 1}`;
    const first = firsts.get(name);
    if (first === undefined) firsts.set(name, label);
    if (name === '') problems.add(where, 'the line is empty', remedy);
    else if (first !== undefined) {
      problems.add(
        where,
        `class "${cutOff(name)}" is there again (first in line ${first + 1})`,
        'Remove one of them',
      );
    }
  }
  if (names.length < 2 && problems.count === before) {
    problems.add(file, 'it names fewer than two classes', remedy);
  }
  return names;
}
