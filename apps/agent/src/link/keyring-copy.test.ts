import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemRng as rng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import type { CustodianClient } from '@ringfence/client/custodian';
import { TlsKey } from '@ringfence/crypto/certificate';
import { SealPrivateKey } from '@ringfence/crypto/open';
import { SigningKey, type Envelope } from '@ringfence/crypto/sign';
import { foldKeyring, signHead } from '@ringfence/keyring';
import { keyringStatements } from '../attempt/keyring-statements.fixture.ts';
import { IDS, KEYS } from '../attempt/members.fixture.ts';
import { KeyringCopy } from './keyring-copy.ts';

const keys = {
  sign: SigningKey.generate(rng).publicKey,
  tls: TlsKey.generate(rng).publicKey,
  seal: SealPrivateKey.generate(rng).publicKey,
  allowProcess: false,
};
const statements = keyringStatements(keys);

/** The head of the keyring, or of one that lacks the last statements, as a custodian of this epoch signs it. */
function headOf(epoch: number, { lacking = 0, key = KEYS.enrolment } = {}): Envelope {
  const keyring = foldKeyring(statements.slice(0, statements.length - lacking));
  return signHead(keyring, { custodian: IDS.custodian, epoch, at: clock.now() }, key);
}

function start(t: TestContext): KeyringCopy {
  const folder = mkdtempSync(join(tmpdir(), 'rf-keyring-copy-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return KeyringCopy.create(folder, { statements, head: headOf(1), root: KEYS.root.publicKey, clock });
}

/** A custodian that answers with these heads, one after the other, the last again and again. */
function custodianOf(...heads: Envelope[]): CustodianClient {
  const keyring = async (): Promise<object> => {
    const [head] = heads.length > 1 ? heads.splice(0, 1) : heads;
    return { statements: [], head };
  };
  return { keyring } as unknown as CustodianClient;
}

test('the epoch that is stated is that of a head which is accepted; of others nothing is known', async (t) => {
  const copy = start(t);
  assert.equal(await copy.statedEpoch(custodianOf(headOf(1))), 1);
  const refused = [headOf(4, { key: SigningKey.generate(rng) }), headOf(4, { lacking: 1 })];
  for (const head of refused) assert.equal(await copy.statedEpoch(custodianOf(head)), undefined);
  assert.equal(await copy.statedEpoch(custodianOf(headOf(2))), 2);
  assert.equal(await copy.statedEpoch(custodianOf(headOf(1))), undefined, 'not back');
  assert.equal(copy.seen?.epoch, 2);
});

test('an answer that was on its way before the question is not taken for it', async (t) => {
  const copy = start(t);
  const custodian = custodianOf(headOf(1), headOf(2));
  const before = copy.refresh(custodian);
  assert.equal(await copy.statedEpoch(custodian), 2);
  await before;
});
