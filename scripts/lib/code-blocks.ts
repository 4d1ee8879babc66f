import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.mjs';

/** The written pages: what stands in the root, in `docs`, and the README of each package. */
export function writtenPages(): string[] {
  const namesIn = (folder: string) =>
    readdirSync(join(root, folder))
      .sort()
      .map((name) => (folder ? `${folder}/${name}` : name));
  const readmes = ['packages', 'apps'].flatMap((folder) =>
    namesIn(folder).map((path) => `${path}/README.md`),
  );
  const pages = [...namesIn(''), ...namesIn('docs')].filter((path) => path.endsWith('.md'));
  return [...pages, ...readmes.filter((path) => readdirSync(join(root, path, '..')).includes('README.md'))];
}

export interface CodeBlock {
  /** Page and line. */
  readonly place: string;
  readonly language: string;
  readonly text: string;
}

/** The fenced blocks of the written pages. */
export const codeBlocks = (): CodeBlock[] =>
  writtenPages().flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8');
    return [...text.matchAll(/^( *)```(\w*)[^\n]*\n(.*?)^\1```$/gms)].map((match) => ({
      place: `${page}:${text.slice(0, match.index).split('\n').length}`,
      language: match[2]!,
      text: match[3]!,
    }));
  });

/** The lines of a shell script: continued ones in one, without comments and empty ones. */
export const shellLines = (text: string): string[] =>
  text
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/(^|\s+)#.*$/, '').trim())
    .filter((line) => line !== '');

/**
 * The commands of a shell script, as words. Understands quotes, comments, continued lines, redirections and what lies
 * between commands; `…` stands for words that are left out.
 */
export function shellCommands(text: string): string[][] {
  const commands: string[][] = [[]];
  for (const line of text
    .replaceAll(/\\\n\s*/g, ' ')
    .replaceAll(/\s[<>]\s*\S+/g, ' ')
    .split('\n')) {
    for (const [word] of line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"|;&])+|#.*|[|;&]+/g)) {
      if (word.startsWith('#')) break;
      if (/^[|;&]+$/.test(word)) commands.push([]);
      else if (word !== '…') commands.at(-1)!.push(word.replaceAll(/['"]/g, ''));
    }
    commands.push([]);
  }
  return commands.filter((words) => words.length > 0);
}

/** Commands in the running text of a page that name an option, such as `tubelet finetune --resume`. */
export const inlineCommands = (page: string): string[] =>
  [
    ...readFileSync(join(root, page), 'utf8')
      .replaceAll(/^( *)```.*?^\1```$/gms, '')
      .matchAll(/`((?:npx )?tubelet [^`]*--[^`]*|npm run [^`]*)`/g),
  ].map(([, text = '']) => text.replaceAll('\\|', '|'));
