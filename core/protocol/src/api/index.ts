export * from './jobs.ts';
export * from './offers.ts';
export * from './organisations.ts';
export * from './placement.ts';
export * from './pool.ts';
export * from './signature.ts';
