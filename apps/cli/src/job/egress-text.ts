import type { EgressUse } from '@ringfence/protocol/payload';

/** What a job did with its way out, in one line. */
export function egressText({ opened, refused }: EgressUse): string {
  const connections = `egress: ${opened} ${opened === 1 ? 'connection' : 'connections'}`;
  if (refused.length === 0) return connections;
  const kinds = refused.map(({ host, reason, count }) => `${count} ${host === 'none' ? '' : `${host} `}${reason}`);
  return `${connections}, refused: ${kinds.join(', ')}`;
}
