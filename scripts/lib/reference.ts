import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  Application,
  Converter,
  LogLevel,
  type Context,
  type Reflection,
  type TypeDocOptions,
} from 'typedoc';
import type { PluginOptions } from 'typedoc-plugin-markdown';
import { publicEntries } from './entries.js';
import { root } from './root.mjs';

/** A comment that begins with a shape, as in `[B, C]: tokens`, would be the definition of a link in Markdown. */
function escapeShapes({ comment }: Reflection): void {
  const [first] = comment?.summary ?? [];
  if (first?.kind === 'text') first.text = first.text.replace(/^\[(?=[^\]]*\]:)/, '\\[');
}

/**
 * Writes a page for every entry of the packages, from the doc comments of what it exports.
 *
 * @param folder is made anew
 */
export async function writeReference(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const entries = publicEntries();
  const options: Omit<TypeDocOptions, keyof PluginOptions> & Partial<PluginOptions> = {
    plugin: ['typedoc-plugin-markdown'],
    entryPoints: entries.map(({ source }) => join(root, source)),
    tsconfig: join(root, 'docs', 'tsconfig.json'),
    // Shapes at the beginning of a comment are taken for links with a warning; `escapeShapes` mends them.
    logLevel: LogLevel.Error,
    readme: 'none',
    // The plugin's output, and no other: the default one replaces `docs`.
    outputs: [{ name: 'markdown', path: folder }],
    cleanOutputDir: false,
    // `npm run typecheck` checks types, and does so for all files.
    skipErrorChecking: true,
    excludeInternal: true,
    excludePrivate: true,
    excludeProtected: true,
    disableSources: true,
    // Options that the plugin declares.
    router: 'module',
    entryFileName: 'index',
    hideBreadcrumbs: true,
    hidePageHeader: true,
    pageTitleTemplates: {
      module: ({ name }: { name: string }) => entries.find(({ page }) => page === name)?.name ?? name,
    },
    parametersFormat: 'table',
    interfacePropertiesFormat: 'table',
    typeDeclarationFormat: 'table',
    expandObjects: true,
    useHTMLAnchors: true,
    sanitizeComments: true,
  };
  const app = await Application.bootstrapWithPlugins(options);
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }: Context) => {
    for (const module of project.children ?? []) {
      const entry = entries.find(
        ({ source }) => source.replace(/(\/index)?\.ts$/, '') === `packages/${module.name}`,
      );
      if (entry === undefined) throw new Error(`no entry of the reference is called ${module.name}`);
      module.name = entry.page;
    }
    Object.values(project.reflections).forEach(escapeShapes);
  });
  const project = await app.convert();
  if (project === undefined || app.logger.hasErrors())
    throw new Error('the reference was not written, see above');
  await app.generateOutputs(project);
}
