export * from './agent-api.ts';
export * from './custodian-api.ts';
export * from './enrolment.ts';
export * from './pack.ts';
export * from './workload.ts';
export * from './pack-link.ts';
export * from './service.ts';
export * from './serving.ts';
