export * from './attempt.ts';
export * from './device-roles.ts';
export * from './heartbeat.ts';
export * from './inventory.ts';
export * from './lock-word.ts';
export * from './registry.ts';
export * from './session.ts';
