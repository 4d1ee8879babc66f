import { readFileSync, statSync } from 'node:fs';
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import { UserError, errorMessage } from '../errors.js';

/** Options take a few lines; a file of many would be read slowly before it is refused. */
const MOST_BYTES = 2 ** 20;
/** Of what a message repeats. */
const MOST_CHARACTERS = 400;

const MOST_LEVELS = 200;

/**
 * Whether a text may nest more deeply than its parser can follow: it would not throw, but bring the process down.
 * Levels are brackets that are open, and dashes and blanks at the beginning of a line.
 */
function isDeep(text: string): boolean {
  let open = 0;
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    open = '[{'.includes(bracket) ? open + 1 : Math.max(0, open - 1);
    if (open > MOST_LEVELS) return true;
  }
  return new RegExp(`^[ \\t?:-]{${MOST_LEVELS}}`, 'm').test(text);
}

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
 * @throws UserError when the file cannot be read or is not such a map
 */
export function readConfigFile(path: string): ConfigEntry[] {
  let text: string;
  try {
    const stats = statSync(path);
    // A pipe or a device would be read for ever.
    if (!stats.isFile()) throw new UserError('it is not a file');
    if (stats.size > MOST_BYTES) throw new UserError(`it has ${stats.size} bytes, and options need few`);
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(`--config: cannot read ${path}: ${errorMessage(error)}`, { cause: error });
  }
  const lines = new LineCounter();
  if (isDeep(text))
    throw new UserError(`${path} is not a file of options: it nests more than ${MOST_LEVELS} levels`);
  const document = parseDocument(text, { lineCounter: lines });
  const [problem] = document.errors;
  if (problem) {
    throw new UserError(`${path} is not YAML: ${problem.message.slice(0, MOST_CHARACTERS)}`, {
      cause: problem,
    });
  }
  const { contents } = document;
  if (contents === null) return [];
  if (!isMap(contents)) {
    throw new UserError(`${path} must hold a map of options, such as \`batch-size: 32\`, one a line`);
  }
  return contents.items.map(({ key, value }) => {
    const line = isScalar(key) && key.range ? lines.linePos(key.range[0]).line : 1;
    const place = `${path}, line ${line}`;
    if (!isScalar(key)) throw new UserError(`${place}: the name of an option must be a word`);
    const name = String(key.value).slice(0, MOST_CHARACTERS);
    const node = value as { toJS?: (document: unknown) => unknown } | null;
    try {
      return { key: name, value: node?.toJS?.(document), place };
    } catch (error) {
      // An alias of nothing, or aliases of aliases that would fill the memory.
      throw new UserError(`${place}: ${name} cannot be read: ${errorMessage(error)}`, { cause: error });
    }
  });
}
