/** The commands of pre-training. */
export { dataCommand } from './data-command.js';
export { prepareCommand } from './prepare-command.js';
export { reconstructCommand } from './reconstruct-command.js';
export { trainCommand } from './train-command.js';
