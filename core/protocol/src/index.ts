export * from './fields.ts';
export type * from './json-shape.ts';
export * from './label-rules.ts';
