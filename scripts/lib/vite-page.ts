import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { chromium } from 'playwright';
import { findBrowser } from './browser.js';
import { launchOptions } from './chromium-options.js';
import { runCommand } from '../../apps/tubelet/src/setup/index.js';

/** Pages get WebGPU from secure places only, and localhost is one. */
const ORIGIN = 'http://localhost';

export interface PageOptions {
  /** A folder with `node_modules`. */
  readonly project: string;
  /** The page's module. */
  readonly program: string;
  /** What the last line looks like that the program writes. */
  readonly end: RegExp;
  /** The folder that may hold a Chromium. */
  readonly cache: string;
  readonly env: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
  /** For everything: who takes longer hangs. */
  readonly limitMs: number;
}

/**
 * Builds a page of one program with the Vite that a project has installed, as Vite does without any settings, and opens
 * it in a headless Chromium.
 *
 * @returns the lines that it writes to the console
 * @throws Error when it cannot be built, or throws
 */
export async function runPage(options: PageOptions): Promise<string[]> {
  const { project, program, end, cache, env, say, limitMs } = options;
  const folder = join(project, 'page');
  mkdirSync(folder);
  writeFileSync(
    join(folder, 'index.html'),
    '<!doctype html><title>Outside</title><script type="module" src="/main.js"></script>\n',
  );
  writeFileSync(join(folder, 'main.js'), program);
  const manifest = createRequire(join(project, 'package.json')).resolve('vite/package.json');
  const vite = join(dirname(manifest), 'bin', 'vite.js');
  const { stdout } = await runCommand(process.execPath, [vite, 'build', folder], {
    ...{ cwd: project, env, timeoutMs: limitMs },
  });
  say(`vite build: ${/\.js .*$/m.exec(stdout)?.[0].replace(/^\.js\s*/, '')}`);

  const browser = await chromium.launch({
    ...launchOptions,
    executablePath: await findBrowser(cache, say),
  });
  try {
    const page = await browser.newPage();
    const lines: string[] = [];
    await page.route(`${ORIGIN}/**`, (route) => {
      const { pathname } = new URL(route.request().url());
      return route.fulfill({ path: join(folder, 'dist', pathname === '/' ? 'index.html' : pathname) });
    });
    page.on('console', (message) => lines.push(message.text()));
    const failed = new Promise<never>((_, reject) => page.on('pageerror', reject));
    const ended = page.waitForEvent('console', {
      predicate: (message) => end.test(message.text()),
      timeout: limitMs,
    });
    // Whichever comes second has nobody who waits for it.
    for (const one of [failed, ended]) one.catch(() => {});
    await Promise.race([failed, page.goto(`${ORIGIN}/`, { timeout: limitMs }).then(() => ended)]).catch(
      (error: Error) => {
        throw new Error(`the page fails: ${error.stack}\n${lines.join('\n')}`, { cause: error });
      },
    );
    return lines;
  } finally {
    await browser.close();
  }
}
