import type { EpochMs } from '@ringfence/base';
import { momentText } from '../placement/moment-text.ts';
import { table } from '../terminal.ts';
import { DEVICE_HEAD, deviceCells } from './device-rows.ts';
import type { KeyringView } from './keyring-view.ts';
import { papersText } from './papers.ts';

/** The keyring for people: a table for each kind of member that there is. */
export function keyringLines(view: KeyringView, own: string, now: EpochMs): string[] {
  const { org, statements, root, quorum, devices, custodians, agents, admitters, issuers } = view;
  const officers = ['the root', 'one officer, or the root,'][quorum] ?? `${quorum} officers together, or the root,`;
  return [
    `Keyring of ${org}: ${statements + 1} statements; ${officers} can add to it`,
    `Root ${root.fingerprint}`,
    ...part(
      DEVICE_HEAD,
      devices.map((device) => deviceCells(device, own)),
    ),
    ...part(
      ['CUSTODIAN', 'MAY SIGN UNTIL', 'FINGERPRINT'],
      custodians.map(({ custodian, maySignUntil, fingerprint }) => [
        custodian,
        maySignUntil === null ? 'ended' : momentText(maySignUntil).slice(0, 10),
        fingerprint,
      ]),
    ),
    ...part(
      ['SERVER', 'SITE', 'TIER', 'PLACES', 'PROVIDER', 'PAPERS UNTIL'],
      agents.map(({ agent, name, site, siteName, tier, jurisdictions, papers }) => [
        name ?? agent,
        siteName ?? site,
        tier,
        jurisdictions.join(' ') || '-',
        papers?.provider ?? '-',
        papersText(papers, now),
      ]),
    ),
    ...part(
      ['ADMITTER', 'TIER', 'FINGERPRINT'],
      admitters.map(({ key, tier, fingerprint }) => [key, tier, fingerprint]),
    ),
    ...part(
      ['ISSUER', 'STANDARDS', 'FINGERPRINT'],
      issuers.map(({ key, standards, fingerprint }) => [key, standards.join(' '), fingerprint]),
    ),
  ];
}

/** A table with an empty line before it; nothing where it has no rows. */
function part(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : ['', table(head, rows)];
}
