export * from './attempt.ts';
export * from './heartbeat.ts';
export * from './inventory.ts';
export * from './registry.ts';
export * from './session.ts';
