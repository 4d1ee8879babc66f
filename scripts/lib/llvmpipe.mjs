import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './commands.mjs';

/*
 * llvmpipe is Mesa's Vulkan driver for the CPU. Dawn accepts it from Mesa 25 on. On Debian and its
 * relatives it is fetched with the machine's own apt sources, into private folders: neither root nor
 * a change to the system is needed. Where the release itself has an older Mesa, its backports suite
 * is asked too.
 */

const oldestAcceptedMesa = 25;
/** Always on a machine that runs Node, and bound to the system's dynamic linker: not to be mixed. */
const fromTheSystem = /^(libc6|libc-bin|libgcc-s1|gcc-\d+-base|libstdc\+\+6|debconf|dpkg|tar|perl-base)$/;

/** A deb822 stanza's fields, lower-cased names. */
function fields(stanza) {
  const found = {};
  let name;
  for (const line of stanza.split('\n')) {
    if (line.startsWith('#')) continue;
    const match = /^([\w-]+):\s*(.*)$/.exec(line);
    if (match) {
      name = match[1].toLowerCase();
      found[name] = match[2];
    } else if (name && /^\s/.test(line)) found[name] += `\n${line}`;
  }
  return found;
}

/**
 * The private apt sources in deb822 form: what the machine's own sources say about this release,
 * and the backports suite of the same archives.
 *
 * @param {string[]} texts contents of the machine's `*.list` and `*.sources` files
 * @param {string} codename such as `bookworm`
 * @returns {string} empty when no source names the release
 */
export function privateSources(texts, codename) {
  const wanted = new Set(['', '-updates', '-security'].map((suffix) => codename + suffix));
  const stanzas = [];
  const add = (source) => {
    const suites = source.suites.split(/\s+/).filter((suite) => wanted.has(suite));
    const components = source.components.split(/\s+/);
    if (suites.length === 0 || !components.includes('main')) return;
    if (suites.includes(codename)) suites.push(`${codename}-backports`);
    const signed = source['signed-by'] ? [`Signed-By: ${source['signed-by']}`] : [];
    // Ubuntu keeps some of Mesa's dependencies in universe.
    const kept = components.filter((component) => ['main', 'universe'].includes(component));
    stanzas.push(
      ['Types: deb', `URIs: ${source.uris}`, `Suites: ${suites.join(' ')}`, `Components: ${kept.join(' ')}`]
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
 * @param {string} simulation what `apt-get install -s` prints
 * @returns {{ name: string, version: string }[]}
 */
export function plannedPackages(simulation) {
  const lines = simulation.matchAll(/^Inst (\S+) (?:\[[^\]]*\] )?\((\S+) /gm);
  return [...lines].map(([, name, version]) => ({ name, version }));
}

/** The leading number of a package version without its epoch: `1:25.0.7-2` is 25. */
export function majorVersion(version) {
  return Number.parseInt(version.replace(/^\d+:/, ''), 10);
}

function systemSources() {
  const folder = '/etc/apt/sources.list.d';
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return ['/etc/apt/sources.list', ...names.map((name) => join(folder, name))]
    .filter((path) => /\.(list|sources)$/.test(path) && existsSync(path))
    .map((path) => readFileSync(path, 'utf8'));
}

/**
 * Private apt folders below `folder`, with this release's package lists fetched.
 *
 * @throws Error when the machine has no apt, or no source for its release
 */
async function openApt(folder) {
  if (!existsSync('/usr/bin/apt-get')) throw new Error('there is no apt-get on this system');
  const release = readFileSync('/etc/os-release', 'utf8');
  const codename = /^VERSION_CODENAME="?([\w-]+)"?$/m.exec(release)?.[1];
  if (!codename) throw new Error('/etc/os-release names no release');
  const sources = privateSources(systemSources(), codename);
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
  const apt = (args, options = {}) =>
    runCommand('apt-get', [...shared, ...(options.system ? [] : alone), ...args], {
      env,
      timeoutMs: 300_000,
      ...options,
    });
  // Not every archive has a backports suite; what could not be fetched shows in the plan.
  const { stderr } = await apt(['update'], { allowFailure: true });
  return { apt, codename, complaints: stderr.trim() };
}

const packageNames = ['mesa-vulkan-drivers', 'libvulkan1'];

/** The release's own Mesa where it is new enough, else that of the backports. */
async function planDriver({ apt, codename, complaints }, system = false) {
  const seen = [];
  for (const target of [[], ['-t', `${codename}-backports`]]) {
    const args = ['install', '-s', ...target, ...packageNames];
    const { code, stdout, stderr } = await apt(args, { allowFailure: true, system });
    const packages = plannedPackages(stdout);
    const mesa = packages.find(({ name }) => name === 'mesa-vulkan-drivers');
    if (mesa && majorVersion(mesa.version) >= oldestAcceptedMesa) {
      return { packages, version: mesa.version, target };
    }
    seen.push(mesa ? `Mesa ${mesa.version}` : stderr.trim().split('\n').at(-1) || `exit code ${code}`);
  }
  // Unreachable archives are the cause of whatever the plan lacks.
  const unreachable = complaints.split('\n').find((line) => /Failed to fetch|Could not/.test(line));
  throw new Error(
    unreachable
      ? `apt could not fetch its package lists: ${unreachable.trim()}`
      : `the apt sources for ${codename} offer no Mesa of version ${oldestAcceptedMesa} or newer: ${seen.join('; ')}`,
  );
}

/** Every shared library of a folder tree, by path. */
function sharedLibraries(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((file) => file.isFile() && /\.so(\.|$)/.test(file.name))
    .map((file) => join(file.parentPath ?? file.path, file.name));
}

/** Drivers for hardware, layers, and libraries that nothing here links to. */
const notNeeded = /^(libvulkan_(?!lvp\.)|libVkLayer_|libicu(io|test|tu)\.|libexpatw\.|libtic\.)/;

/**
 * Fetches llvmpipe and all it needs and unpacks it below `staging`.
 *
 * @param {string} staging an empty folder
 * @returns {Promise<import('./drivers.mjs').UnpackedDriver>}
 * @throws Error when this system has no apt, or its sources no driver that Dawn accepts
 */
export async function unpackLlvmpipe(staging) {
  const work = join(staging, 'apt');
  const archive = await openApt(work);
  const plan = await planDriver(archive);
  const debs = join(work, 'debs');
  const tree = join(work, 'tree');
  mkdirSync(debs);
  mkdirSync(tree);
  const names = plan.packages
    .filter(({ name }) => !fromTheSystem.test(name.replace(/:\w+$/, '')))
    .map(({ name, version }) => `${name}=${version}`);
  await archive.apt(['download', ...names], { cwd: debs, timeoutMs: 600_000 });
  for (const name of readdirSync(debs)) await runCommand('dpkg', ['-x', join(debs, name), tree]);
  const folder = join(staging, 'llvmpipe');
  mkdirSync(folder);
  for (const path of sharedLibraries(tree)) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (!notNeeded.test(name)) copyFileSync(path, join(folder, name));
  }
  rmSync(work, { recursive: true });
  const version = plan.version.replace(/^\d+:/, '').replace(/-.*/, '');
  return { name: 'llvmpipe', version, icd: 'lvp_icd.json', driverFile: 'libvulkan_lvp.so', folder };
}

/**
 * Installs llvmpipe into the system: for root, where the unpacked one does not work.
 *
 * @param {string} staging an empty folder
 * @throws Error when not root, or when apt fails
 */
export async function installLlvmpipe(staging) {
  if (process.getuid?.() !== 0) throw new Error('installing it through apt needs root');
  const archive = await openApt(join(staging, 'apt'));
  const { target } = await planDriver(archive, true);
  await archive.apt(['install', '-y', ...target, ...packageNames], { system: true, timeoutMs: 600_000 });
}
