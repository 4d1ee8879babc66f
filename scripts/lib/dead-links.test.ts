import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { deadLinks } from './dead-links.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tubelet-site-'));
  mkdirSync(join(folder, 'sub'));
  writeFileSync(
    join(folder, 'index.html'),
    '<h2 id="start">Start</h2><a class="x" href="/sub/page.html#top">page</a>',
  );
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const page = (text: string) =>
  writeFileSync(join(folder, 'sub', 'page.html'), `<h1 id="top">Top</h1>${text}`);

it('finds pages, files and headings that are not there', () => {
  page(
    '<a href="../index.html#end">a</a><a href="/gone.html">b</a><img alt="" src="picture.png"><a href="#bottom">c</a>',
  );
  expect(deadLinks(folder)).toEqual({
    pages: 2,
    links: 5,
    dead: [
      'sub/page.html: index.html has no heading #end',
      'sub/page.html: there is no gone.html',
      'sub/page.html: there is no sub/picture.png',
      'sub/page.html: sub/page.html has no heading #bottom',
    ],
  });
});

it('follows links to the front page, to headings and to other sites', () => {
  page('<a href="/">a</a><a href="/#start">b</a><a href="#top">c</a><a href="https://example.org/">d</a>');
  expect(deadLinks(folder)).toEqual({ pages: 2, links: 4, dead: [] });
});

it('knows under which path the site will be served', () => {
  page('<a href="/docs/">a</a>');
  expect(deadLinks(folder, '/docs/').dead).toEqual(['index.html: /sub/page.html#top is outside of /docs/']);
});
