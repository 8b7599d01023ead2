export * from './admission.ts';
export * from './evidence.ts';
export * from './fence.ts';
export * from './job.ts';
export * from './keyring.ts';
export * from './placement.ts';
export * from './pool.ts';
export * from './registry.ts';
