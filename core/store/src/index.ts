export * from './embedded/index.ts';
export * from './store-error.ts';
