export * from './philox/philox';
