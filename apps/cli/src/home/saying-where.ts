import { ClientError } from '@ringfence/client/error';
import type { Profile } from './profile.ts';

/** Names of the machine that this process runs on. */
const LOOPBACK = /^(localhost|127\..*|\[::1\])$/;

/** `error`, and where it says that there is no connection, which servers this profile speaks of and how to get them to answer. */
export function sayingWhere(error: unknown, { controlPlane, custodian }: Profile): unknown {
  if (!(error instanceof ClientError) || error.code !== 'unreachable') return error;
  const ways = [custodian.lan, custodian.relay?.url].filter((way) => typeof way === 'string').join(' or ');
  const places = `control plane ${controlPlane.url}, custodian ${ways}`;
  const next = LOOPBACK.test(new URL(controlPlane.url).hostname)
    ? `this profile's servers are on this machine and have to run (${places}): those of the quickstart start again with \`npm run quickstart\``
    : `see with \`ringfence doctor\` which server does not answer (${places}), and whether a proxy is needed (RINGFENCE_PROXY)`;
  return new ClientError('unreachable', error.message, { cause: error, next });
}
