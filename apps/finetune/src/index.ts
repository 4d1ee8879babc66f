/** The commands of fine-tuning, and of what a classifier is good for. */
export { dataCommand } from './data-command.js';
export { embedCommand } from './embed-command.js';
export { evaluateCommand } from './evaluate-command.js';
export { exportCommand } from './export-command.js';
export { figureCommand } from './figure-command.js';
export { predictCommand } from './predict-command.js';
export { trainCommand } from './train-command.js';
