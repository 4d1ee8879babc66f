import { HostilePickleError } from './pytorch-errors.js';
import type { PytorchCheckpoint } from './pytorch-checkpoint.js';

/**
 * Functions by which a pickle would take hold of the machine that unpickles it: no checkpoint needs them. Everything
 * else that a pickle names is not run either.
 */
const HOSTILE_MODULES =
  /^(os|posix|nt|subprocess|sys|shutil|socket|runpy|importlib|pty|ctypes|code|webbrowser|urllib|http|builtins|__builtin__|operator|torch\.hub)(\.|$)/;
/** Constructors of plain values among Python's built-in functions. */
const HARMLESS_BUILTINS =
  /^(builtins|__builtin__)\.(set|frozenset|list|dict|tuple|int|float|bool|str|bytes|bytearray|complex|slice|range|object)$/;

/**
 * Refuses a checkpoint whose pickle would take hold of a machine that loads it with PyTorch.
 *
 * @throws HostilePickleError naming the functions that it wants called
 */
export function requireHarmless({ uncalled }: Pick<PytorchCheckpoint, 'uncalled'>): void {
  const hostile = uncalled.filter(
    (callee) => HOSTILE_MODULES.test(callee) && !HARMLESS_BUILTINS.test(callee),
  );
  if (hostile.length > 0) throw new HostilePickleError(hostile);
}
