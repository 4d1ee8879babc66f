import { copyFileSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join, posix, relative, resolve, sep } from 'node:path';
import type { MarkdownRenderer } from 'vitepress';

const root = resolve(import.meta.dirname, '../..');

/** Where on the site a page of the repository is; paths are relative to the repository and to the site. */
export function sitePath(page: string): string {
  const outside: Record<string, string> = {
    'README.md': 'index.md',
    'CONTRIBUTING.md': 'contributing.md',
    'FEATURES.md': 'operations.md',
  };
  return (
    outside[page] ??
    page.replace(/^docs\//, '').replace(/^(?:packages|apps)\/([\w-]+)\/README/, 'packages/$1')
  );
}

/** The anchor of a heading, as GitHub makes it. */
export const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number}\s_-]/gu, '')
    .replace(/\s/g, '-');

/** Files that pages link to and that are not pages: the site has copies of them. */
const linkedFiles = new Set<string>();

/**
 * Makes links that lead from file to file in the repository, as on GitHub, lead from page to page on the site.
 *
 * @throws Error for a link to what is neither a file nor an address
 */
export function followRepositoryLinks(md: MarkdownRenderer): void {
  md.core.ruler.push('repository-links', ({ tokens, env }) => {
    for (const { children } of tokens) {
      for (const token of children ?? []) {
        const href = token.type === 'link_open' ? token.attrGet('href') : null;
        if (href !== null && !/^(?:[a-z]+:|#)/.test(href)) token.attrSet('href', siteLink(href, env));
      }
    }
  });
}

function siteLink(
  href: string,
  page: { readonly realPath?: string; readonly path: string; readonly relativePath: string },
): string {
  const [path = '', anchor] = decodeURI(href).split('#');
  const target = resolve(dirname(page.realPath ?? page.path), path);
  const name = relative(root, target).split(sep).join('/');
  if (!statSync(target, { throwIfNoEntry: false })?.isFile()) {
    throw new Error(`${page.path} links to ${href}, which is not a file of the repository`);
  }
  if (name.endsWith('.md')) return `/${sitePath(name)}${anchor === undefined ? '' : `#${anchor}`}`;
  linkedFiles.add(name);
  return posix.relative(posix.dirname(page.relativePath), `files/${name}.txt`);
}

/** Copies the files that pages link to into the built site. They are texts, and a browser shows them as such. */
export function copyLinkedFiles(site: string): void {
  for (const name of linkedFiles) {
    const copy = join(site, 'files', `${name}.txt`);
    mkdirSync(dirname(copy), { recursive: true });
    copyFileSync(join(root, name), copy);
  }
}
