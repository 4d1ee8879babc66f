import { resolve } from 'node:path';
import { defineConfig } from 'vitepress';
import { anchorOf, copyLinkedFiles, followRepositoryLinks, sitePath } from './links.js';
import { requireAllPages, sidebar } from './sidebar.js';

// The site is made of the pages that are read in the repository, each where it lies: README.md is the front page, and
// `reference` is written by `npm run site` before.
export default defineConfig({
  title: 'Tubelet',
  description: 'A tensor engine whose GPU kernels are WGSL written by hand, and MAE-DFER on it',
  lang: 'en',
  srcDir: '..',
  srcExclude: [
    '!(docs|packages|apps)/**/*.md',
    'packages/*/!(README).md',
    'packages/*/*/**',
    'apps/!(tubelet)/**',
    'apps/tubelet/*/**',
  ],
  rewrites: sitePath,
  cacheDir: resolve(import.meta.dirname, '../../node_modules/.cache/vitepress'),
  markdown: {
    anchor: { slugify: anchorOf },
    config: followRepositoryLinks,
  },
  themeConfig: {
    sidebar,
    outline: [2, 3],
    search: {
      provider: 'local',
      options: {
        miniSearch: {
          // The reference says every word many times; what explains a thing comes before it.
          searchOptions: { boostDocument: (page: string) => (page.includes('reference/') ? 0.2 : 1) },
        },
      },
    },
  },
  buildEnd({ outDir, pages }) {
    requireAllPages(pages.map(sitePath));
    copyLinkedFiles(outDir);
  },
});
