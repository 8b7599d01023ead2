import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A TCP relay on the loopback interface that cuts each connection after as many bytes as it is told. */
export class FaultyRelay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** How many connections it cut. */
  cuts = 0;

  /** `bytesToLive` is asked once per connection; Infinity lets it live. */
  constructor(target: number, bytesToLive: () => number) {
    this.#server = createServer((near) => {
      const far = connect(target, '127.0.0.1');
      let left = bytesToLive();
      const cut = (): void => {
        near.destroy();
        far.destroy();
      };
      const forward = (from: Socket, to: Socket): void => {
        this.#sockets.add(from);
        from.on('data', (bytes: Buffer) => {
          if (left <= 0) return;
          to.write(bytes.subarray(0, left));
          left -= bytes.length;
          if (left > 0) return;
          this.cuts += 1;
          cut();
        });
        from.on('error', cut);
        from.on('close', () => {
          this.#sockets.delete(from);
          cut();
        });
      };
      forward(near, far);
      forward(far, near);
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
