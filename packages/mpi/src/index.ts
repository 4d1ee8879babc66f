export type { Communicator, Numbers } from './communicator.js';
export { MpiError } from './errors.js';
export { readLaunch, type Launch } from './launch.js';
export { libraryCandidates } from './library.js';
export { openCommunicator } from './open.js';
export { SingleRank } from './single-rank.js';
