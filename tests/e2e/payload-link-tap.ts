import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { WebSocket, WebSocketServer } from 'ws';
import { systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import type { RelayAccess } from '@ringfence/client/payload-link';
import { ownCertificate } from '@ringfence/client/server-certificate';
import { temporaryFolder, type Cleanup } from './payload-link-parties.ts';

/** Which way a message goes: from who dialled the tap, or from the relay behind it. */
export type Direction = 'up' | 'down';

export interface TapOptions {
  /** What becomes of message number `index` of a direction; several, none, or as it is. */
  readonly change?: (direction: Direction, index: number, message: Buffer) => readonly Buffer[];
  /** The path that is asked of the relay behind. */
  readonly path?: (path: string) => string;
}

export interface Tap extends RelayAccess {
  readonly caFile: string;
  /** All messages as they came in, before any change. */
  readonly seen: { readonly direction: Direction; readonly message: Buffer }[];
}

/** A relay that sees and changes what it forwards: a real one behind a WebSocket in the middle that the caller trusts. */
export async function startTap(
  cleanup: Cleanup,
  relay: RelayAccess & { readonly caFile: string },
  options: TapOptions = {},
): Promise<Tap> {
  const state = temporaryFolder(cleanup);
  const certificate = await ownCertificate({ state, names: ['127.0.0.1'], clock: systemClock, rng: systemRng });
  const server = createServer({
    cert: certificate.certificatePem,
    key: Buffer.from(certificate.privateKeyPem.expose()),
  });
  const seen: { direction: Direction; message: Buffer }[] = [];
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (near, request) => {
    const path = (options.path ?? String)(request.url ?? '/');
    const far = new WebSocket(relay.relayUrl.replace('https:', 'wss:') + path, { ca: readFileSync(relay.caFile) });
    near.pause();
    far.on('open', () => near.resume());
    forward(near, far, 'up');
    forward(far, near, 'down');
    cleanup.add(() => [near, far].forEach((socket) => socket.terminate()));
  });
  function forward(from: WebSocket, to: WebSocket, direction: Direction): void {
    let index = 0;
    from.on('message', (data, isBinary) => {
      const message = data as Buffer;
      seen.push({ direction, message: Buffer.from(message) });
      const changed = isBinary ? (options.change?.(direction, index++, message) ?? [message]) : [message];
      for (const one of changed) to.send(one, { binary: isBinary });
    });
    from.on('error', () => {});
    from.on('close', (code) => to.close(code >= 1000 && code !== 1005 && code !== 1006 ? code : 1000));
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup.add(() => {
    sockets.close();
    server.close();
    server.closeAllConnections();
  });
  return {
    relayUrl: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    caFile: join(state, 'ca.pem'),
    seen,
  };
}
