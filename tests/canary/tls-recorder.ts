// A TLS-inspecting proxy in front of one server: what an operator with its key would see, byte for byte.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { connect, createServer, type Server, type TLSSocket } from 'node:tls';

/** A recorder and what crossed it, opened, in order of arrival. */
export interface TlsRecorder {
  readonly seen: () => Buffer;
  readonly close: () => Promise<void>;
}

/** Listens on `port` with the certificate of the server whose ready line names `caFile`, and passes everything on to `to`. */
export async function recordTls(options: { port: number; to: number; caFile: string }): Promise<TlsRecorder> {
  const state = dirname(options.caFile);
  const parts: Buffer[] = [];
  const open = new Set<TLSSocket>();
  const server: Server = createServer({
    cert: readFileSync(join(state, 'server.pem')),
    key: readFileSync(join(state, 'server-key.pem')),
    minVersion: 'TLSv1.3',
  });
  server.on('secureConnection', (client) => {
    const behind = connect({
      port: options.to,
      host: '127.0.0.1',
      ca: readFileSync(options.caFile),
      minVersion: 'TLSv1.3',
    });
    pass(client, behind, parts, open);
    pass(behind, client, parts, open);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  return {
    seen: () => Buffer.concat(parts),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

function pass(from: TLSSocket, to: TLSSocket, parts: Buffer[], open: Set<TLSSocket>): void {
  open.add(from);
  from.on('data', (bytes: Buffer) => {
    parts.push(bytes);
    if (!to.write(bytes)) {
      from.pause();
      to.once('drain', () => from.resume());
    }
  });
  from.on('error', () => to.destroy());
  from.on('end', () => to.end());
  from.on('close', () => {
    open.delete(from);
    to.destroy();
  });
}
