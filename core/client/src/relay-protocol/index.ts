export * from './address.ts';
export * from './close-code.ts';
export * from './listen-proof.ts';
export * from './liveness.ts';
export * from './message.ts';
export * from './relay-host.ts';
export * from './request-path.ts';
export * from './ticket.ts';
