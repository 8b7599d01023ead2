// A process of its own that is many clients: each signs with its device's key and hands in its jobs over TLS.
import { epochMs, newId, systemRng, type JobId, type OrgId } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { ControlPlaneClient } from '@ringfence/client/api';
import { sha256Hex, statementDigest } from '@ringfence/crypto/sign';
import { placementDigest, signStatement } from '@ringfence/keyring';
import { SAMPLE_PLACEMENT } from '@ringfence/protocol/samples';
import type { PlacementPart } from '@ringfence/protocol/statements';
import { keyOf, type Member, type Organisation } from '../control-plane/organisation.ts';
import type { Target } from '../control-plane/control-plane-apart.ts';

type DeviceId = Organisation['devices'][number]['id'];

/** One client: a device of an organisation that trusts `custodian` to label. */
export type ClientSetup = {
  readonly org: OrgId;
  readonly custodian: Organisation['custodian']['id'];
  readonly enrolmentSeed: string;
  readonly device: Member<DeviceId>;
};

/** What the parent asks: to sign so many jobs for each client, then to hand them in; each ask is answered once. */
export type Ask =
  | {
      readonly kind: 'prepare';
      readonly target: Target;
      readonly clients: readonly ClientSetup[];
      readonly each: number;
    }
  | { readonly kind: 'burst'; readonly atOnce: boolean; readonly twice: number };

/** `acked`: jobs that were answered, with the milliseconds until then. `refused`: the codes of what was not. */
export type Answer = { readonly acked: readonly (readonly [JobId, number])[]; readonly refused: readonly string[] };

type Submission = Parameters<ControlPlaneClient['submit']>[0];
type Ready = { readonly client: ControlPlaneClient; readonly submissions: readonly (readonly [JobId, Submission])[] };

const HOUR = 3_600_000;
const PLACEMENT: PlacementPart = { ...SAMPLE_PLACEMENT, retryOn: ['no-capacity', 'interruption'] };

let ready: Ready[] = [];

function signed(of: ClientSetup): readonly [JobId, Submission] {
  const { org, custodian } = of;
  const job = newId('job', systemRng);
  const at = systemClock.now();
  const notAfter = epochMs(at + HOUR);
  const label = signStatement(
    'label',
    { v: 1, org, job, custodian, sensitivity: 'internal', residency: [], at, notAfter },
    [keyOf(of.enrolmentSeed)],
  );
  const body = {
    v: 1,
    org,
    project: newId('project', systemRng),
    job,
    device: of.device.id,
    type: PLACEMENT.type,
    at,
    expires: notAfter,
    maxAttempts: 3,
    replicas: 1,
    constraintDigest: placementDigest(PLACEMENT),
    payloadDigest: sha256Hex(systemRng.bytes(32)),
    labelDigest: statementDigest(label),
  } as const;
  return [job, { job: signStatement('job', body, [keyOf(of.device.seed)]), label, placement: PLACEMENT }];
}

async function prepare({ target, clients, each }: Extract<Ask, { kind: 'prepare' }>): Promise<Answer> {
  await Promise.all(ready.map(({ client }) => client.close()));
  ready = clients.map((of) => {
    const identity = { device: of.device.id, key: keyOf(of.device.seed) };
    const { url, caFile } = target;
    const client = new ControlPlaneClient({ url, caFile, clock: systemClock, rng: systemRng, identity });
    return { client, submissions: Array.from({ length: each }, () => signed(of)) };
  });
  // Each client's first connection stands, as that of a shell that has just asked for a plan.
  await Promise.all(ready.map(({ client }) => client.about()));
  return { acked: [], refused: [] };
}

/** All at once, or each client one after the other; the first `twice` of each are handed in twice, as after a lost answer. */
async function burst({ atOnce, twice }: Extract<Ask, { kind: 'burst' }>): Promise<Answer> {
  const acked: (readonly [JobId, number])[] = [];
  const refused: string[] = [];
  const submit = async ({ client }: Ready, [job, submission]: readonly [JobId, Submission]): Promise<void> => {
    const from = performance.now();
    try {
      await client.submit(submission);
      acked.push([job, performance.now() - from]);
    } catch (error) {
      refused.push(error instanceof Error && 'code' in error ? String(error.code) : String(error));
    }
  };
  await Promise.all(
    ready.map(async (one) => {
      const orders = [...one.submissions, ...one.submissions.slice(0, twice)];
      if (atOnce) await Promise.all(orders.map((order) => submit(one, order)));
      else for (const order of orders) await submit(one, order);
    }),
  );
  return { acked, refused };
}

process.on('message', (ask: Ask) => {
  void (ask.kind === 'prepare' ? prepare(ask) : burst(ask)).then((answer) => process.send?.(answer));
});
// A parent that died asks for nothing any more.
process.on('disconnect', () => process.exit());
