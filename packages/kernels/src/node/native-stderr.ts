import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const STDERR = 2;

/** The C library's functions on file descriptors. */
interface Descriptors {
  dup(descriptor: number): number;
  dup2(from: number, to: number): number;
}

/**
 * Runs `body`, which must not be asynchronous, and keeps those lines from the terminal that match `expected` among
 * what native code writes to standard error meanwhile; all others appear afterwards. For libraries that have no
 * switch for their messages. Where standard error cannot be set aside (not Linux, no temporary folder), everything
 * appears.
 */
export async function withoutLines<T>(expected: RegExp, body: () => T): Promise<T> {
  if (process.platform !== 'linux') return body();
  const { default: koffi } = await import('koffi');
  // Node exports the C library's symbols.
  const program = koffi.load(null);
  const descriptors = {
    dup: program.func('int dup(int)') as Descriptors['dup'],
    dup2: program.func('int dup2(int, int)') as Descriptors['dup2'],
  };
  // From here to the end nothing may wait: no other code of this program gets to write meanwhile.
  const restore = setStderrAside(descriptors);
  try {
    return body();
  } finally {
    const lines = restore().split(/(?<=\n)/);
    const rest = lines.filter((line) => !expected.test(line)).join('');
    if (rest !== '') writeSync(STDERR, rest);
  }
}

/** Lets file descriptor 2 point to a file until the returned function is called, which gives what it then holds. */
function setStderrAside({ dup, dup2 }: Descriptors): () => string {
  let folder: string | undefined;
  const remove = () => folder && rmSync(folder, { recursive: true, force: true });
  let path: string;
  let file: number;
  let terminal: number;
  try {
    folder = mkdtempSync(join(tmpdir(), 'tubelet-stderr-'));
    path = join(folder, 'stderr');
    file = openSync(path, 'w');
    terminal = dup(STDERR);
  } catch {
    remove();
    return () => '';
  }
  if (terminal >= 0) dup2(file, STDERR);
  closeSync(file);
  return () => {
    if (terminal >= 0) {
      dup2(terminal, STDERR);
      closeSync(terminal);
    }
    const text = readFileSync(path, 'utf8');
    remove();
    return text;
  };
}
