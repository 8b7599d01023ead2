import { isId, parseDuration, type DeviceId, type OrgId } from '@ringfence/base';
import type { Recipients } from '@ringfence/protocol/statements';
import { CliError } from '../cli-error.ts';
import { text, texts, type Flags } from '../command.ts';

/** Flags that say to whom something is released, and until when. */
export const RECIPIENT_OPTIONS = {
  for: { type: 'string', multiple: true },
  'to-org': { type: 'string' },
  valid: { type: 'string' },
} as const;

/** `--for DEVICE`…, `--for all`, `--to-org ORG`; `otherwise` without `--for`. Throws CliError `usage`. */
export function recipientsOf(flags: Flags, org: OrgId, otherwise: DeviceId | 'all'): Recipients {
  const to = text(flags, 'to-org') ?? org;
  if (!isId('org', to))
    throw new CliError('usage', '--to-org takes the id of an organisation', { next: 'it begins with org_' });
  const named = texts(flags, 'for');
  const wanted = named.length > 0 ? named : [to === org ? otherwise : 'all'];
  if (wanted.includes('all')) return { org: to };
  const devices = wanted.filter((word) => isId('device', word));
  if (devices.length === wanted.length) return { org: to, devices };
  throw new CliError('usage', '--for takes ids of devices, or all', { next: 'see `ringfence device ls`' });
}

/** `--valid 30d` in milliseconds. Throws CliError `usage`. */
export function validityOf(flags: Flags, otherwise: string): number {
  const valid = parseDuration(text(flags, 'valid') ?? otherwise);
  if (valid !== undefined) return valid;
  throw new CliError('usage', '--valid takes a length of time', { next: 'such as --valid 30d' });
}
