export * from './jobs.ts';
export * from './organisations.ts';
export * from './signature.ts';
