/** What tests, benchmarks and documents need to know of operations, and programs do not. */
export { missingOperations, operationCatalogue } from './catalogue.js';
export { checkExample, TOLERANCE, type Example, type Operation, type OperationErrors } from './operation.js';
