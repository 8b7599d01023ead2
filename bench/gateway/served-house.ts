import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { startHouse, type House, type HouseOptions } from '../../scripts/house/index.ts';

/** An endpoint in a house, as callers of the network see it. */
export interface ServedEndpoint {
  readonly name: string;
  readonly port: number;
  readonly token: string;
  /** The issuer of the gateway's certificate. */
  readonly ca: string;
}

/** A service that answers three bytes to everything. */
export const TRIVIAL_SERVICE = `import { createServer } from 'node:http';
const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  request.resume();
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': '3' }).end('ok\\n');
});
server.listen(8000, '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
`;

/** Starts a house whose first agent is a gateway on a port of the loopback interface. */
export async function startServingHouse(options: HouseOptions): Promise<{ house: House; port: number }> {
  const port = await freePort();
  const gateway = { RINGFENCE_GATEWAY: '1', RINGFENCE_GATEWAY_LISTEN: `127.0.0.1:${port}` };
  const env = { ...options.env, 'agent-1': { ...options.env?.['agent-1'], ...gateway } };
  const house = await startHouse({ ...options, env });
  try {
    await must(house, ['endpoint', 'gateway', 'add', 'agent-1']);
    return { house, port };
  } catch (error) {
    await house.stop();
    throw error;
  }
}

/** Launches a service in a house, and mints a token for it. */
export async function launchService(
  { house, port }: { house: House; port: number },
  service: { folder: string; program: string; jobFile: string; name: string },
): Promise<ServedEndpoint> {
  const { folder, program, jobFile, name } = service;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'serve.mjs'), program);
  writeFileSync(join(folder, 'job.yaml'), jobFile);
  await must(house, ['launch', '-y', join(folder, 'job.yaml')]);
  const minted = JSON.parse(await must(house, ['endpoint', 'token', 'mint', name, 'bench', '--json'])) as {
    token: string;
  };
  const ca = await must(house, ['endpoint', 'ca']);
  return { name, port, token: minted.token, ca };
}

/** Runs the command line and returns what it printed; throws when it fails. */
export async function must(house: House, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await house.cli(args);
  if (code !== 0) throw new Error(`ringfence ${args.join(' ')} ended with ${code}\n${stdout}\n${stderr}`);
  return stdout;
}

/** Below the ports that systems hand out, so that no process of the house has taken it meanwhile. */
async function freePort(): Promise<number> {
  for (let tried = 0; tried < 50; tried += 1) {
    const port = randomInt(20_000, 30_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
  throw new Error('no port is free');
}
