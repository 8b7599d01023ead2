import { tileOfWords } from '@ringfence/ledger/tlog';
import { auditHead, auditTile } from '@ringfence/protocol/api';
import { ControlPlaneError } from '../control-plane-error.ts';
import { deviceRoute, type Route } from '../http/route.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';

/** An organisation's log, for its own members: checkpoint and tiles are all that a verifier needs. */
export function auditRoutes(context: ControlPlaneContext): Route[] {
  return [
    deviceRoute({
      method: 'GET',
      path: '/v1/audit',
      summary: 'The organisation’s audit log: its key and its newest checkpoint.',
      action: 'audit:read',
      answer: auditHead,
      handle: (_, { org }) => context.logs.served.shown(org),
    }),
    deviceRoute({
      method: 'GET',
      path: '/v1/audit/tiles/:level/:index/:width',
      summary: 'A tile of the log’s hashes, or at level `entries` a bundle of its entries (C2SP tlog-tiles).',
      action: 'audit:read',
      answer: auditTile,
      handle: async ({ parameters }, caller) => {
        const tile = tileOfWords(parameters);
        const bytes = tile && (await context.logs.served.tile(caller.org, tile));
        if (bytes === undefined) throw new ControlPlaneError('not-found', 'the log has no such tile');
        return { data: Buffer.from(bytes).toString('base64') };
      },
    }),
  ];
}
