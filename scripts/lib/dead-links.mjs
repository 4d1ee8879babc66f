import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/**
 * Looks up every link of a built site in it: the page or file must be there, and the heading in the page.
 *
 * @param {string} folder with the HTML files
 * @param {string} base the path under which they will be served
 * @returns {{ dead: string[], pages: number, links: number }} `dead` has a line for each link that leads nowhere
 */
export function deadLinks(folder, base = '/') {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.html'));
  const texts = new Map(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
  const anchors = new Map(
    [...texts].map(([name, text]) => [
      name,
      new Set([...text.matchAll(/ id="([^"]*)"/g)].map(([, id]) => plain(id))),
    ]),
  );
  const dead = new Set();
  let links = 0;
  for (const [name, text] of texts) {
    for (const [, href] of text.matchAll(/<(?:a|img)\b[^>]*? (?:href|src)="([^"]*)"/g)) {
      if (/^[a-z]+:/.test(href)) continue;
      links++;
      const [path, anchor] = plain(href).split('#');
      if (path.startsWith('/') && !path.startsWith(base)) {
        dead.add(`${name}: ${href} is outside of ${base}`);
        continue;
      }
      const from = path.startsWith('/') ? path.slice(base.length) : posix.join(posix.dirname(name), path);
      const target = path === '' ? name : from === '' || from.endsWith('/') ? `${from}index.html` : from;
      if (!existsSync(join(folder, target))) dead.add(`${name}: there is no ${target}`);
      else if (anchor && anchors.has(target) && !anchors.get(target).has(anchor)) {
        dead.add(`${name}: ${target} has no heading #${anchor}`);
      }
    }
  }
  return { dead: [...dead], pages: names.length, links };
}

const entities = { '&amp;': '&', '&quot;': '"', '&#39;': "'", '&lt;': '<', '&gt;': '>' };

/** The text of an attribute. */
const plain = (text) =>
  decodeURIComponent(text.replace(/&(?:amp|quot|#39|lt|gt);/g, (entity) => entities[entity]));
