import { systemRng as rng, type EpochMs } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { SigningKey, type Envelope } from '@ringfence/crypto/sign';
import { foldKeyring, genesisStatement, nextStatement, signStatement } from '@ringfence/keyring';
import type { JoinKeys } from '@ringfence/protocol/payload';
import type { KeyringChange } from '@ringfence/protocol/statements';
import { IDS, KEYS } from './members.fixture.ts';

const HOUR = 3_600_000;

/** The keyring of the test organisation with one agent that has `keys`, led by `root`; the last statement adds the device. */
export function keyringStatements(
  keys: Pick<JoinKeys, 'sign' | 'tls' | 'seal' | 'allowProcess'>,
  root: SigningKey = KEYS.root,
): Envelope[] {
  const at = (clock.now() - 48 * HOUR) as EpochMs;
  const recovery = { threshold: 1, keys: [KEYS.recovery.publicKey] };
  const genesis = genesisStatement(IDS.org, { kind: 'genesis', root: root.publicKey, recovery }, at);
  const statements = [signStatement('keyring', genesis, [root])];
  const add = (change: KeyringChange, key = root): void => {
    statements.push(signStatement('keyring', nextStatement(foldKeyring(statements), change, at), [key]));
  };
  const { custodian, device, agent } = IDS;
  const custodianSign = SigningKey.generate(rng).publicKey;
  add({
    kind: 'add-custodian',
    custodian,
    sign: custodianSign,
    tls: KEYS.custodianTls.publicKey,
    seal: KEYS.custodianSeal.publicKey,
  });
  const notAfter = (clock.now() + 1_000 * HOUR) as EpochMs;
  const may: ('add-agent' | 'remove' | 'head' | 'label' | 'grant' | 'commit')[] = [
    'add-agent',
    'remove',
    'head',
    'label',
    'grant',
    'commit',
  ];
  add({ kind: 'delegate', custodian, key: KEYS.enrolment.publicKey, may, notAfter });
  add({ kind: 'add-evidence-issuer', key: KEYS.issuer.publicKey, standards: ['iso27001'] });
  add({ kind: 'add-agent', agent, site: IDS.site, tier: 'private', ...keys }, KEYS.enrolment);
  add({ kind: 'add-device', device, sign: KEYS.device.publicKey, tls: KEYS.deviceTls.publicKey });
  return statements;
}
