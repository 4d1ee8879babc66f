import { readText } from './files';
import type { Problems } from './problems';

/**
 * Reads the names of the classes, one a line, in the order of their labels. Empty lines at the end are no names.
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
  for (const [label, name] of names.entries()) {
    const where = `${file}:${label + 1}`;
    const first = names.indexOf(name);
    if (name === '') problems.add(where, 'the line is empty', remedy);
    else if (first !== label) {
      problems.add(
        where,
        `class "${name}" is there again (first in line ${first + 1})`,
        'Remove one of them',
      );
    }
  }
  if (names.length < 2 && problems.count === before) {
    problems.add(file, 'it names fewer than two classes', remedy);
  }
  return names;
}
