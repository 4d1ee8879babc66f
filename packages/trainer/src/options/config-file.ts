import { readFileSync } from 'node:fs';
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import { UserError, errorMessage } from '../errors.js';

/** An option as a file gives it. */
export interface ConfigEntry {
  /** As it is written there. */
  readonly key: string;
  readonly value: unknown;
  /** File and line. */
  readonly place: string;
}

/**
 * Reads the options of a YAML file: a map from their names, without dashes in front, to their values.
 *
 * @throws {UserError} when the file cannot be read or is no such map
 */
export function readConfigFile(path: string): ConfigEntry[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(`--config: cannot read ${path}: ${errorMessage(error)}`, { cause: error });
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [problem] = document.errors;
  if (problem) throw new UserError(`${path} is not YAML: ${problem.message}`, { cause: problem });
  const { contents } = document;
  if (contents === null) return [];
  if (!isMap(contents)) {
    throw new UserError(`${path} must hold a map of options, such as \`batch-size: 32\`, one a line`);
  }
  return contents.items.map(({ key, value }) => {
    const line = isScalar(key) && key.range ? lines.linePos(key.range[0]).line : 1;
    const node = value as { toJS?: (document: unknown) => unknown } | null;
    return {
      key: String(isScalar(key) ? key.value : key),
      value: node?.toJS?.(document),
      place: `${path}, line ${line}`,
    };
  });
}
