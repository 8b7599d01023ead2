import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Rng } from '@ringfence/base';
import { makeFolder } from '@ringfence/base/platform';
import type { RecordKey } from '@ringfence/crypto/record';
import type { Envelope } from '@ringfence/crypto/sign';
import { parseEnvelope, readStatement } from '@ringfence/keyring';
import type { JoinKeys } from '@ringfence/protocol/payload';
import { AgentError } from '../agent-error.ts';
import { makeIdentity } from '../identity/agent-identity.ts';

/** What admits a provider's machine. */
export interface Papers {
  readonly admission: Envelope;
  readonly machine: Envelope;
}

/** Public keys of a machine, which its provider's authority vouches for. */
export type MachineKeys = Pick<JoinKeys, 'sign' | 'tls' | 'seal'>;

/** Where the identity of the next join with papers lies; the join takes it away, so that no keys serve two. */
export function preparedFolder(state: string): string {
  return join(state, 'prepared');
}

/** The public keys of the next join with papers, made on first use. */
export async function prepareKeys(
  state: string,
  key: RecordKey,
  parts: { clock: Clock; rng: Rng },
): Promise<MachineKeys> {
  const folder = preparedFolder(state);
  makeFolder(folder);
  const { sign, link, seal } = await makeIdentity(folder, key, parts);
  return { sign: sign.publicKey, tls: link.key.publicKey, seal: seal.publicKey };
}

/** The papers in the files of a join; undefined at home. Throws AgentError `bad-config`. */
export function readPapers({
  admission,
  machine,
}: {
  admission: string | undefined;
  machine: string | undefined;
}): Papers | undefined {
  if (admission === undefined && machine === undefined) return undefined;
  if (admission === undefined || machine === undefined)
    throw new AgentError('bad-config', 'a provider’s machine joins with an admission and a machine statement', {
      next: 'give both --admission and --machine',
    });
  return { admission: readEnvelope('admission', admission), machine: readEnvelope('machine', machine) };
}

/** Refuses papers about other keys before a code is spent on them. Throws AgentError `bad-config`. */
export function checkPapers({ machine }: Papers, { sign, tls, seal }: JoinKeys): void {
  const { claimed } = readStatement('machine', machine);
  if (claimed.sign === sign && claimed.tls === tls && claimed.seal === seal) return;
  throw new AgentError('bad-config', 'the machine statement is about other keys than those of this state folder', {
    next: 'print these with `ringfence agent keys` and have the provider certify them',
  });
}

function readEnvelope(name: 'admission' | 'machine', path: string): Envelope {
  try {
    const envelope = parseEnvelope(JSON.parse(readFileSync(path, 'utf8')));
    readStatement(name, envelope);
    return envelope;
  } catch (cause) {
    throw new AgentError('bad-config', `--${name} is no file with such a statement`, {
      cause,
      next: 'take the file as it was made, by `ringfence admitter admit` or `ringfence provider certify`',
    });
  }
}
