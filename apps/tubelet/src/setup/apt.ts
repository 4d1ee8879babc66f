import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand, type CommandOptions, type CommandResult } from './run-command.js';

/*
 * Packages of Debian and its relatives, fetched with the machine's own apt sources into private folders.
 */

export interface DebianPackage {
  readonly name: string;
  readonly version: string;
}

/** Private apt folders with the package lists of a release. */
export interface Archive {
  /** Runs apt-get; with `system` it is the system's packages that count as installed. */
  apt(
    args: readonly string[],
    options?: CommandOptions & { readonly system?: boolean },
  ): Promise<CommandResult>;
  readonly codename: string;
  /** What apt said of lists that it could not fetch. */
  readonly complaints: string;
}

type Fields = Readonly<Record<string, string | undefined>>;

/** A deb822 stanza's fields, lower-cased names. */
function fields(stanza: string): Fields {
  const found: Record<string, string> = {};
  let name: string | undefined;
  for (const line of stanza.split('\n')) {
    if (line.startsWith('#')) continue;
    const match = /^([\w-]+):\s*(.*)$/.exec(line);
    if (match) {
      name = match[1]!.toLowerCase();
      found[name] = match[2]!;
    } else if (name && /^\s/.test(line)) found[name] += `\n${line}`;
  }
  return found;
}

/**
 * The private apt sources in deb822 form: what the machine's own sources say about its release, and the backports
 * suite of the same archives.
 *
 * @param texts contents of the machine's `*.list` and `*.sources` files
 * @param codename such as `bookworm`
 * @param release another release of the same archives to ask for in its place
 * @returns empty when no source names the machine's release
 */
export function privateSources(texts: readonly string[], codename: string, release = codename): string {
  const wanted = new Set(['', '-updates', '-security'].map((suffix) => codename + suffix));
  const stanzas: string[] = [];
  const add = (source: Fields) => {
    const suites = (source.suites ?? '').split(/\s+/).filter((suite) => wanted.has(suite));
    const components = (source.components ?? '').split(/\s+/);
    if (suites.length === 0 || !components.includes('main')) return;
    if (suites.includes(codename)) suites.push(`${codename}-backports`);
    const asked = suites.map((suite) => suite.replace(codename, release));
    const signed = source['signed-by'] ? [`Signed-By: ${source['signed-by']}`] : [];
    // Ubuntu keeps some of Mesa's dependencies in universe.
    const kept = components.filter((component) => ['main', 'universe'].includes(component));
    stanzas.push(
      ['Types: deb', `URIs: ${source.uris}`, `Suites: ${asked.join(' ')}`, `Components: ${kept.join(' ')}`]
        .concat(signed)
        .join('\n'),
    );
  };
  for (const text of texts) {
    for (const line of text.split('\n')) {
      const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.+?)\s*$/.exec(line);
      if (!match) continue;
      const signed = /signed-by=(\S+)/.exec(match[1] ?? '')?.[1];
      add({ uris: match[2], suites: match[3], components: match[4], 'signed-by': signed });
    }
    for (const stanza of text.split(/\n\s*\n/)) {
      const source = fields(stanza);
      if (!source.uris || !source.suites || !source.components) continue;
      if (!/\bdeb\b/.test(source.types ?? '') || /^no$/i.test(source.enabled ?? '')) continue;
      add(source);
    }
  }
  return stanzas.length > 0 ? `${stanzas.join('\n\n')}\n` : '';
}

/**
 * The packages that apt would install, from its simulation.
 *
 * @param simulation what `apt-get install -s` prints
 */
export function plannedPackages(simulation: string): DebianPackage[] {
  const lines = simulation.matchAll(/^Inst (\S+) (?:\[[^\]]*\] )?\((\S+) /gm);
  return [...lines].map(([, name, version]) => ({ name: name!, version: version! }));
}

/** The leading number of a package version without its epoch: `1:25.0.7-2` is 25. */
export function majorVersion(version: string): number {
  return Number.parseInt(version.replace(/^\d+:/, ''), 10);
}

function systemSources(): string[] {
  const folder = '/etc/apt/sources.list.d';
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return ['/etc/apt/sources.list', ...names.map((name) => join(folder, name))]
    .filter((path) => /\.(list|sources)$/.test(path) && existsSync(path))
    .map((path) => readFileSync(path, 'utf8'));
}

/**
 * Private apt folders below `folder`, with a release's package lists fetched: neither root nor a change to the system
 * is needed.
 *
 * @param wanted a release to ask the machine's archives for; its own unless given
 * @throws Error when the machine has no apt, or no source for its release
 */
export async function openApt(folder: string, wanted?: string): Promise<Archive> {
  if (!existsSync('/usr/bin/apt-get')) throw new Error('there is no apt-get on this system');
  const release = readFileSync('/etc/os-release', 'utf8');
  const codename = /^VERSION_CODENAME="?([\w-]+)"?$/m.exec(release)?.[1];
  if (!codename) throw new Error('/etc/os-release names no release');
  const sources = privateSources(systemSources(), codename, wanted);
  if (sources === '') throw new Error(`no apt source of this machine names ${codename}`);
  for (const name of ['lists/partial', 'state', 'cache/archives/partial']) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  writeFileSync(join(folder, 'private.sources'), sources);
  // With nothing counted as installed, the driver comes with every library it needs.
  writeFileSync(join(folder, 'status'), '');
  const settings = {
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Etc::sourcelist': join(folder, 'private.sources'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'APT::Sandbox::User': 'root',
    'APT::Install-Recommends': 'false',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '2',
    'Acquire::http::Timeout': '20',
    'Acquire::https::Timeout': '20',
  };
  const shared = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const alone = [
    ['Dir::State', join(folder, 'state')],
    ['Dir::State::status', join(folder, 'status')],
  ].flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  const apt: Archive['apt'] = (args, options = {}) =>
    runCommand('apt-get', [...shared, ...(options.system ? [] : alone), ...args], {
      env,
      timeoutMs: 300_000,
      ...options,
    });
  // Not every archive has a backports suite; what could not be fetched shows in the plan.
  const { stderr } = await apt(['update'], { allowFailure: true });
  return { apt, codename: wanted ?? codename, complaints: stderr.trim() };
}

/**
 * Downloads packages and unpacks them into one tree below `folder`.
 *
 * @param folder an existing folder
 * @returns the tree's root
 */
export async function unpackPackages(
  archive: Pick<Archive, 'apt'>,
  packages: readonly DebianPackage[],
  folder: string,
): Promise<string> {
  const debs = join(folder, 'debs');
  const tree = join(folder, 'tree');
  mkdirSync(debs);
  mkdirSync(tree);
  const names = packages.map(({ name, version }) => `${name}=${version}`);
  await archive.apt(['download', ...names], { cwd: debs, timeoutMs: 600_000 });
  for (const name of readdirSync(debs)) await runCommand('dpkg', ['-x', join(debs, name), tree]);
  return tree;
}
