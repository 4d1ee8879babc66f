import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DefaultTheme } from 'vitepress';
import { publicEntries } from '../../scripts/lib/entries.js';

/** An entry with namespaces is a folder of pages. */
const hasFolder = (page: string) => existsSync(resolve(import.meta.dirname, '../reference', page));

/** Groups of pages, each with its title. */
const groups: Record<string, Record<string, string>> = {
  'The engine': {
    '/': 'What Tubelet is',
    '/first-steps': 'First steps',
    '/concepts': 'Concepts',
    '/writing-a-kernel': 'Writing a kernel',
    '/limits': 'Limits',
    '/comparison': 'Beside other engines',
  },
  Training: {
    '/training': 'Training',
    '/pre-training': 'Pre-training on VoxCeleb2',
    '/preparing-data': 'Preparing videos',
    '/fine-tuning': 'Fine-tuning and prediction',
    '/gpu-machines': 'GPU machines',
    '/several-gpus': 'Several GPUs and machines',
    '/running': 'What a run survives',
    '/faces': 'Drawn faces',
  },
  'The paper': {
    '/reproducing-the-paper': 'Every table and figure',
    '/studies-in-miniature': 'The studies in miniature',
    '/figures': 'Figures',
    '/checkpoints': 'Importing checkpoints',
    '/when-to-use-mae-dfer': 'When to use MAE-DFER',
  },
  'Speed and numbers': {
    '/performance': 'Performance guide',
    '/measured-speed': 'Measured speed',
    '/expected-speed': 'Expected of other GPUs',
    '/software-drivers': 'Without a GPU',
    '/checking-the-numbers': 'Checking the numbers',
  },
  Reference: {
    '/operations': 'Operations',
    '/kernels': 'Kernels',
    '/contributing': 'Contributing',
  },
  Packages: Object.fromEntries(
    ['kernels', 'autograd', 'mae-dfer', 'video', 'trainer', 'mpi', 'tubelet'].map((name) => [
      `/packages/${name}`,
      name === 'tubelet' ? 'tubelet, the command' : `@tubelet/${name}`,
    ]),
  ),
  'Every exported name': Object.fromEntries(
    publicEntries().map(({ name, page }) => [`/reference/${page}${hasFolder(page) ? '/' : ''}`, name]),
  ),
};

export const sidebar: DefaultTheme.SidebarItem[] = Object.entries(groups).map(([text, pages]) => ({
  text,
  collapsed: text === 'Every exported name' || text === 'Packages' ? true : undefined,
  items: Object.entries(pages).map(([link, title]) => ({ text: title, link })),
}));

/** @throws Error for a page that the sidebar does not lead to */
export function requireAllPages(pages: readonly string[]): void {
  const links = new Set(Object.values(groups).flatMap((group) => Object.keys(group)));
  const missing = pages
    .filter((page) => !page.startsWith('reference/'))
    .filter((page) => !links.has(`/${page.replace(/\.md$/, '').replace(/^index$/, '')}`));
  if (missing.length > 0) {
    throw new Error(`docs/.vitepress/sidebar.ts has no place for ${missing.join(', ')}: give each one`);
  }
}
