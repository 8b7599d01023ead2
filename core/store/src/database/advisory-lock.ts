import { createHash } from 'node:crypto';

/** Key of PostgreSQL's advisory lock for one work on a schema: the first 64 bits of a SHA-256, signed, in decimal. */
export function lockKey(schema: string, work: 'roles' | 'migrations'): string {
  return createHash('sha256').update(`ringfence/store/${schema}/${work}`).digest().readBigInt64BE().toString();
}
