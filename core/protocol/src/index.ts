export * from './fields.ts';
export * from './label-rules.ts';
