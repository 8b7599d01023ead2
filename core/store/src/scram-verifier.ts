import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

const ITERATIONS = 4096;

/**
 * What PostgreSQL stores instead of an ASCII `password` (RFC 5803 with SCRAM-SHA-256 of RFC 7677; `salt` is 16 random bytes).
 * Sent in place of the password, so that no server log or statistics view ever shows one.
 */
export function scramVerifier(password: string, salt: Uint8Array): string {
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256');
  const key = (name: string): Buffer => createHmac('sha256', salted).update(name).digest();
  const stored = createHash('sha256').update(key('Client Key')).digest('base64');
  const parts = [
    `${ITERATIONS}:${Buffer.from(salt).toString('base64')}`,
    `${stored}:${key('Server Key').toString('base64')}`,
  ];
  return `SCRAM-SHA-256$${parts.join('$')}`;
}
