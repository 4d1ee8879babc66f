export { openApt, plannedPackages, unpackPackages } from './apt.js';
export { writeDescription } from './drivers.js';
export { ensureAdapter } from './ensure-adapter.js';
export { fromTheSystem, notNeeded, planDriver, upstreamVersion } from './llvmpipe.js';
export { probeWith } from './probe.js';
export { runCommand, runNpm } from './run-command.js';
