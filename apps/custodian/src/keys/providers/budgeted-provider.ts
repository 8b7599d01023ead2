import { timingSafeEqual } from 'node:crypto';
import { Secret, sleep, type Clock, type OrgId, type ProjectId, type Rng } from '@ringfence/base';
import { withDeadline } from '@ringfence/client/deadline';
import { ClientError } from '@ringfence/client/error';
import type { CustodianError } from '../../custodian-error.ts';
import { kekError, type KekHealth, type KekProvider } from '../kek-provider.ts';
import { isKekError } from './is-kek-error.ts';
import type { KekBackend } from './kek-backend.ts';

/** How long a provider may take, and how long what it unwrapped may be kept. All in milliseconds. */
export interface KekBudget {
  /** For one wrap, unwrap or look at its health, with everything that is tried for it. */
  readonly within: number;
  readonly keepFor: number;
}

interface Surroundings {
  readonly clock: Clock;
  readonly rng: Rng;
}

const TRIES = 3;
const FIRST_PAUSE_MS = 20;
/** Rotating and destroying take several requests, and nobody's job waits for them. */
const CHANGE_WITHIN_MS = 15_000;
const KEK_BYTES = 32;

/** `backend` as a provider: in its time, with at most three tries of what may be repeated, and with errors of the closed set alone. */
export function budgetedProvider(backend: KekBackend, budget: KekBudget, around: Surroundings): KekProvider {
  const { clock } = around;
  const tried = <T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> =>
    inTime(clock, budget.within, (signal) => retried(clock, signal, run));
  const wrap: KekProvider['wrap'] = (plaintext, aad) => tried((signal) => backend.wrap(plaintext, aad, signal));
  const unwrap: KekProvider['unwrap'] = async (wrapped, aad) => {
    const plaintext = await tried((signal) => backend.unwrap(wrapped, aad, signal));
    if (plaintext.length === KEK_BYTES) return plaintext;
    plaintext[Symbol.dispose]();
    throw kekError('kek-tampered');
  };
  return {
    kind: backend.kind,
    keepFor: budget.keepFor,
    wrap,
    unwrap,
    rotate: async () => ({ keyVersion: await inTime(clock, CHANGE_WITHIN_MS, (signal) => backend.rotate(signal)) }),
    destroy: (keyVersion) => inTime(clock, CHANGE_WITHIN_MS, (signal) => backend.destroy(keyVersion, signal)),
    health: () =>
      healthOf(
        backend.health === undefined
          ? () => roundTrip({ wrap, unwrap }, around.rng)
          : () => tried(async (signal) => (await backend.health?.(signal)) ?? ''),
      ),
    close: () => backend.close(),
  };
}

/** Runs `run` within its time; whatever it throws becomes an error of the closed set. */
async function inTime<T>(clock: Clock, within: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  try {
    return await withDeadline({ clock, within }, run);
  } catch (error) {
    throw closed(error);
  }
}

/** Only what failed for want of a connection or of the service's own doing is tried again. */
async function retried<T>(clock: Clock, signal: AbortSignal, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await run(signal);
    } catch (error) {
      if (attempt === TRIES || signal.aborted || closed(error).code !== 'kek-unavailable') throw error;
      await sleep(clock, FIRST_PAUSE_MS * 2 ** (attempt - 1), signal);
    }
}

function closed(error: unknown): CustodianError {
  if (isKekError(error)) return error;
  const late = error instanceof ClientError && error.code === 'timed-out';
  return kekError(late ? 'kek-slow' : 'kek-unavailable', error);
}

async function healthOf(look: () => Promise<string>): Promise<KekHealth> {
  try {
    return { usable: true, keyVersion: await look() };
  } catch (error) {
    return { usable: false, code: isKekError(error) ? error.code : 'kek-unavailable' };
  }
}

/** No identifier of an organisation or project is of this form, so nothing that is wrapped here is ever of use. */
const NOBODY = { org: 'health' as OrgId, project: 'health' as ProjectId, object: 'health', version: 1 };

async function roundTrip({ wrap, unwrap }: Pick<KekProvider, 'wrap' | 'unwrap'>, rng: Rng): Promise<string> {
  using plaintext = new Secret(rng.bytes(KEK_BYTES));
  const wrapped = await wrap(plaintext, NOBODY);
  using again = await unwrap(wrapped, NOBODY);
  if (!timingSafeEqual(plaintext.expose(), again.expose())) throw kekError('kek-tampered');
  return wrapped.keyVersion;
}
