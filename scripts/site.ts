// Builds the site of the documentation into `docs/.vitepress/dist`: pages of the reference from doc comments, then all
// pages. A link to a page, a heading or a file that is not there ends it with an error.
//
//   npm run site [-- --base /tubelet/]     --base: the path under which it will be served
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { deadLinks } from './lib/dead-links.js';
import { writeReference } from './lib/reference.js';
import { root } from './lib/root.mjs';
import { vitepress } from './lib/tools.js';

const options = process.argv.slice(2);
const [option, base = '/', ...others] = options;
if (options.length > 0 && (option !== '--base' || !/^\/(.*\/)?$/.test(base) || others.length > 0)) {
  console.error(`${options.join(' ')} cannot be used; the only option is --base with a path like /tubelet/`);
  process.exit(2);
}
const say = (line: string) => console.log(`[site] ${line}`);

say('reference: reading the doc comments of the packages');
await writeReference(join(root, 'docs', 'reference'));
say('pages');
const { status } = spawnSync(process.execPath, [vitepress, 'build', 'docs', ...options], {
  cwd: root,
  stdio: 'inherit',
});
if (status !== 0) process.exit(1);

const site = join(root, 'docs', '.vitepress', 'dist');
const { dead, pages, links } = deadLinks(site, base);
for (const line of dead) console.error(`[site] dead link: ${line}`);
if (dead.length > 0) process.exit(1);
say(`${pages} pages with ${links} links, none of them dead, in ${site}`);
