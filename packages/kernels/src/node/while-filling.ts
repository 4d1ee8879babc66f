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
  const timer = setInterval(() => tell(Math.round(bytesIn(folder) / 1e6)), everyMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

function bytesIn(folder: string): number {
  if (!existsSync(folder)) return 0;
  let bytes = 0;
  for (const file of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!file.isFile()) continue;
    // What is being unpacked is renamed and deleted meanwhile.
    bytes += statSync(join(file.parentPath ?? file.path, file.name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}
