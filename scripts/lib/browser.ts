import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { multiarch, unpackProgram } from './apt-program.js';

/** Of what Debian's Chromium asks for: OpenGL drivers, themes and interpreters, which a headless one never loads. */
const notNeeded = /^(perl|libperl|libllvm|libz3|libgl1-mesa-dri|adwaita-icon-theme)/;

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const macPaths = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/**
 * The path of a Chromium: the one that `TUBELET_BROWSER` names, else an installed one, else Debian's, which is fetched
 * into the cache folder unless it is there.
 *
 * @param cache the cache folder
 * @param say told of what takes long
 * @throws Error when there is none and none can be fetched
 */
export async function findBrowser(cache: string, say: (line: string) => void): Promise<string> {
  const given = process.env.TUBELET_BROWSER;
  if (given) {
    if (existsSync(given)) return given;
    throw new Error(`TUBELET_BROWSER names ${given}, which does not exist: set it to the path of a Chromium`);
  }
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const paths = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  const installed = [...paths, ...macPaths].find((path) => existsSync(path));
  if (installed) return installed;
  const place = join(cache, 'browser');
  if (!existsSync(join(place, 'version'))) {
    say(`no Chromium is installed: fetching Debian's through apt into ${place} (700 MB unpacked) …`);
    try {
      await unpackProgram(place, 'chromium', notNeeded);
    } catch (error) {
      throw new Error(
        `no browser to test in: no Chromium is installed, and none can be fetched: ${(error as Error).message}. ` +
          'Install Chromium or Chrome, or set TUBELET_BROWSER to its path.',
        { cause: error },
      );
    }
  }
  return launcherOf(place);
}

/** A program that starts the fetched Chromium with the libraries and fonts that came with it. */
function launcherOf(place: string): string {
  const path = join(place, 'chromium');
  const libraries = ['usr/lib', 'lib'].map((folder) => join(place, folder, multiarch()));
  libraries.push(...['nss', 'pulseaudio'].map((name) => join(place, 'usr/lib', multiarch(), name)));
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const variables = [
    `LD_LIBRARY_PATH=${quoted(libraries.join(':'))}`,
    `FONTCONFIG_PATH=${quoted(join(place, 'etc', 'fonts'))}`,
    `FONTCONFIG_SYSROOT=${quoted(place)}`,
  ];
  const program = quoted(join(place, 'usr', 'lib', 'chromium', 'chromium'));
  writeFileSync(path, `#!/bin/sh\n${variables.join(' ')} exec ${program} "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}
