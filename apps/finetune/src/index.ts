/** The commands of fine-tuning, and of what a classifier is good for. */
export { dataCommand } from './data/data-command.js';
export { embedCommand } from './embed/embed-command.js';
export { evaluateCommand } from './evaluate/evaluate-command.js';
export { exportCommand } from './export/export-command.js';
export { figureCommand } from './figure/figure-command.js';
export { predictCommand } from './predict/predict-command.js';
export { trainCommand } from './train/train-command.js';
