export * from './jobs.ts';
export * from './organisations.ts';
