// Builds the site of the documentation into `docs/.vitepress/dist`: pages of the reference from doc comments, then all
// pages. A link to a page, a heading or a file that is not there ends it with an error.
//
//   npm run site [-- --base /tubelet/]     --base: the path under which it will be served
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { deadLinks } from './lib/dead-links.mjs';
import { writeReference } from './lib/reference.mjs';
import { root } from './lib/root.mjs';

const options = process.argv.slice(2);
if (options.length > 0 && (options.length !== 2 || options[0] !== '--base' || !/^\/.*\/$/.test(options[1]))) {
  console.error(`${options.join(' ')} cannot be used; the only option is --base with a path like /tubelet/`);
  process.exit(2);
}
const say = (line) => console.log(`[site] ${line}`);

say('reference: reading the doc comments of the packages');
await writeReference(join(root, 'docs', 'reference'));
say('pages');
const vitepress = join(
  dirname(createRequire(import.meta.url).resolve('vitepress/package.json')),
  'bin/vitepress.js',
);
const { status } = spawnSync(process.execPath, [vitepress, 'build', 'docs', ...options], {
  cwd: root,
  stdio: 'inherit',
});
if (status !== 0) process.exit(1);

const site = join(root, 'docs', '.vitepress', 'dist');
const { dead, pages, links } = deadLinks(site, options[1] ?? '/');
for (const line of dead) console.error(`[site] dead link: ${line}`);
if (dead.length > 0) process.exit(1);
say(`${pages} pages with ${links} links, none of them dead, in ${site}`);
