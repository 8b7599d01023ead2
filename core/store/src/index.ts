export * from './database/index.ts';
export * from './embedded/index.ts';
export * from './store-error.ts';
