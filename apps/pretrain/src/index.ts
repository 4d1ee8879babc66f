/** The commands of pre-training. */
export { dataCommand } from './data/data-command.js';
export { prepareCommand } from './prepare/prepare-command.js';
export { reconstructCommand } from './reconstruct/reconstruct-command.js';
export { trainCommand } from './train/train-command.js';
