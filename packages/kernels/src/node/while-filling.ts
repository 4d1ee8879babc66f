import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Often enough to show that something happens, and seldom enough to read. */
const TELL_EVERY_MS = 10_000;

/**
 * Tells how much a folder holds, again and again, while something is fetched into it.
 *
 * @param tell told the size in MB (10⁶ bytes)
 * @param work what fills the folder, which need not be there yet
 */
export async function whileFilling<T>(
  folder: string,
  tell: (megabytes: number) => void,
  work: () => Promise<T>,
  everyMs = TELL_EVERY_MS,
): Promise<T> {
  const timer = setInterval(() => {
    const bytes = bytesIn(folder);
    if (bytes !== undefined) tell(Math.round(bytes / 1e6));
  }, everyMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/** Undefined where the folder changes while it is read: what is being unpacked is renamed and deleted meanwhile. */
function bytesIn(folder: string): number | undefined {
  if (!existsSync(folder)) return 0;
  try {
    const files = readdirSync(folder, { withFileTypes: true, recursive: true }).filter((file) =>
      file.isFile(),
    );
    const sizes = files.map((file) => statSync(join(file.parentPath ?? file.path, file.name)).size);
    return sizes.reduce((sum, size) => sum + size, 0);
  } catch {
    return undefined;
  }
}
