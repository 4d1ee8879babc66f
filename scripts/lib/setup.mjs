// What `tubelet setup` does, from its sources: scripts need it before there is a build.
import { importSource } from './source.mjs';

export const {
  ensureAdapter,
  fromTheSystem,
  notNeeded,
  openApt,
  planDriver,
  plannedPackages,
  probeWith,
  runCommand,
  runNpm,
  unpackPackages,
  upstreamVersion,
  writeDescription,
} = await importSource('apps/tubelet/src/setup/index.ts');
