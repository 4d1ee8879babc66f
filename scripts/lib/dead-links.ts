import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

export interface DeadLinks {
  /** A line for each link that leads nowhere. */
  readonly dead: readonly string[];
  readonly pages: number;
  readonly links: number;
}

/**
 * Looks up every link of a built site in it: the page or file must be there, and the heading in the page.
 *
 * @param folder with the HTML files
 * @param base the path under which they will be served
 */
export function deadLinks(folder: string, base = '/'): DeadLinks {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.html'));
  const texts = new Map(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
  const anchors = new Map(
    [...texts].map(([name, text]) => [
      name,
      new Set([...text.matchAll(/ id="([^"]*)"/g)].map(([, id = '']) => plain(id))),
    ]),
  );
  const dead = new Set<string>();
  let links = 0;
  for (const [name, text] of texts) {
    for (const [, href = ''] of text.matchAll(/<(?:a|img)\b[^>]*? (?:href|src)="([^"]*)"/g)) {
      if (/^[a-z]+:/.test(href)) continue;
      links++;
      const [path = '', anchor] = plain(href).split('#');
      if (path.startsWith('/') && !path.startsWith(base)) {
        dead.add(`${name}: ${href} is outside of ${base}`);
        continue;
      }
      const from = path.startsWith('/') ? path.slice(base.length) : posix.join(posix.dirname(name), path);
      const target = path === '' ? name : from === '' || from.endsWith('/') ? `${from}index.html` : from;
      if (!existsSync(join(folder, target))) dead.add(`${name}: there is no ${target}`);
      else if (anchor && anchors.get(target)?.has(anchor) === false) {
        dead.add(`${name}: ${target} has no heading #${anchor}`);
      }
    }
  }
  return { dead: [...dead], pages: names.length, links };
}

const entities: Record<string, string> = {
  '&amp;': '&',
  '&quot;': '"',
  '&#39;': "'",
  '&lt;': '<',
  '&gt;': '>',
};

/** The text of an attribute. */
const plain = (text: string) =>
  decodeURIComponent(text.replace(/&(?:amp|quot|#39|lt|gt);/g, (entity) => entities[entity]!));
