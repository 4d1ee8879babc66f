export * from './safetensors';
export * from './schedule';
