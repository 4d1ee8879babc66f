import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Lists a folder's entries; none when it is not there. */
export type FolderLister = (path: string) => string[];

const listFolder: FolderLister = (path) => (existsSync(path) ? readdirSync(path) : []);

/** Vulkan driver descriptions (`*.json`) on this system. */
export interface InstalledIcds {
  /** Where the Vulkan loader looks by itself. */
  standard: string[];
  /** In folders that GPU containers and some systems use, but that the loader does not search. */
  elsewhere: string[];
}

const foldersElsewhere = [
  '/usr/local/nvidia/share/vulkan/icd.d',
  '/run/opengl-driver/share/vulkan/icd.d',
  '/opt/amdgpu/share/vulkan/icd.d',
];

/**
 * Finds the Vulkan driver descriptions of a Linux system, in the loader's order of folders.
 *
 * @param env read for the XDG folders
 */
export function installedIcds(
  env: NodeJS.ProcessEnv = process.env,
  list: FolderLister = listFolder,
  home = homedir(),
): InstalledIcds {
  const split = (value: string | undefined, otherwise: string) => (value || otherwise).split(':');
  const bases = [
    env.XDG_CONFIG_HOME || join(home, '.config'),
    ...split(env.XDG_CONFIG_DIRS, '/etc/xdg'),
    '/etc',
    env.XDG_DATA_HOME || join(home, '.local', 'share'),
    ...split(env.XDG_DATA_DIRS, '/usr/local/share:/usr/share'),
  ];
  const folders = [...new Set(bases.map((base) => join(base, 'vulkan', 'icd.d')))];
  const descriptions = (folder: string) =>
    list(folder)
      .filter((name) => name.endsWith('.json'))
      .sort()
      .map((name) => join(folder, name));
  return {
    standard: folders.flatMap(descriptions),
    elsewhere: foldersElsewhere.filter((folder) => !folders.includes(folder)).flatMap(descriptions),
  };
}
