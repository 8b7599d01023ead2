import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorFields, isId, jsonOf, type DeviceId, type JobId } from '@ringfence/base';
import { peerOf } from '@ringfence/client/payload-link';
import { headMaxAge } from '@ringfence/keyring';
import { ENTRY_FRAMES, entryHead, type EntryHead } from '@ringfence/protocol/payload';
import { enteredFact } from '../attempt/attempt-facts.ts';
import { AttemptFolder } from '../attempt/attempt-folder.ts';
import type { AttemptRunner } from '../attempt/attempt-runner.ts';
import type { AttemptWork } from '../attempt/attempt-work.ts';
import { CODE_PATH, jobUser } from '../attempt/lay-out.ts';
import { withCustodian } from '../attempt/with-custodian.ts';
import { mayRead } from '../api/may-read.ts';
import { readWithin } from '../http/read-within.ts';
import { sendRefusal } from '../http/send-json.ts';
import type { LinkContext } from '../link/link-context.ts';
import { enterSandbox, type Entered } from './enter-sandbox.ts';
import { entryLaunch } from './entry-launch.ts';
import { closeAll, openNamespaces } from './namespaces.ts';

const ALIVE_EVERY_MS = 30_000;
const LONGEST_HEAD = 262_144;
/** One variable of a process takes 128 KiB, and quotes may make a command longer. */
const LONGEST_COMMAND = 30_000;
const ASK_WITHIN_MS = 10_000;

/** Answers `POST /v1/jobs/JOB/enter?attempt=N`: a command in a running sandbox, its streams over the link. */
export class EnterRoute {
  readonly #context: LinkContext;
  readonly #runner: AttemptRunner;

  constructor(context: LinkContext, runner: AttemptRunner) {
    this.#context = context;
    this.#runner = runner;
  }

  /** Takes a request that is this route's; false for others. */
  take(request: IncomingMessage, response: ServerResponse): boolean {
    const match = /^\/v1\/jobs\/([a-z0-9_]{1,64})\/enter\?attempt=(\d{1,7})$/.exec(request.url ?? '');
    const job = match?.[1] ?? '';
    if (request.method !== 'POST' || !isId('job', job)) return false;
    this.#enter(request, response, { job, attempt: Number(match?.[2]) }).catch((error: unknown) => {
      this.#context.log.warn('enter.failed', { job, ...errorFields(error) });
      if (response.headersSent) response.destroy();
      else sendRefusal(response, 503, 'unavailable', 'the sandbox could not be entered');
    });
    return true;
  }

  async #enter(
    request: IncomingMessage,
    response: ServerResponse,
    id: { readonly job: JobId; readonly attempt: number },
  ): Promise<void> {
    const { about } = new AttemptFolder(this.#context.machine.state, id);
    const peer = peerOf(request);
    const { keyring } = this.#context;
    if (
      about === undefined ||
      peer.kind !== 'known' ||
      !isId('device', peer.id) ||
      !mayRead(keyring.keyring, peer.id, about, this.#context.locks.suspended)
    )
      return sendRefusal(response, 404, 'not-found', 'this agent has no such attempt that this device may enter');
    if (!keyring.isCurrent(headMaxAge(about.sensitivity)))
      return sendRefusal(response, 503, 'stale-keyring', 'this agent has not heard from its custodian who may enter');
    const head = await readWithin(request, this.#context.clock, readHead(request));
    if (head === undefined) return sendRefusal(response, 400, 'bad-request', 'the first line says what to do');
    const work = this.#runner.workOf(id.job, id.attempt)?.work;
    const init = work?.running?.init() ?? null;
    if (work?.running === undefined || init === null)
      return sendRefusal(response, 409, 'not-running', 'the job does not run now');
    const user = work.place === undefined ? null : jobUser(this.#context, work.place.slot);
    if (work.level !== 'sandbox' || user === null)
      return sendRefusal(
        response,
        409,
        'not-possible',
        'only jobs at isolation sandbox of an agent that runs as root can be entered',
      );
    if (JSON.stringify(head.head).length > LONGEST_COMMAND)
      return sendRefusal(response, 400, 'bad-request', 'the command is too long');
    const refused = await this.#ask(id, peer.id, head.head);
    if (refused !== undefined)
      return sendRefusal(response, 403, refused === 'label' ? 'not-released' : refused, REASONS[refused]);
    const launch = entryLaunch(head.head, { user, cwd: CODE_PATH }, this.#context.machine.capabilities);
    const namespaces = openNamespaces(init);
    if (namespaces === undefined) return sendRefusal(response, 409, 'not-running', 'the job has just ended');
    let entered: Entered;
    try {
      entered = enterSandbox(launch, namespaces, work.running.join);
    } finally {
      closeAll(namespaces);
    }
    await this.#connect(entered, request, response, { work, rest: head.rest });
  }

  /** The custodian decides by policy and label and writes down who it was; so does this agent's journal. */
  async #ask(
    id: { job: JobId; attempt: number },
    device: DeviceId,
    { kind }: EntryHead,
  ): Promise<keyof typeof REASONS | undefined> {
    const answer = await withCustodian(this.#context, { within: ASK_WITHIN_MS }, (custodian) =>
      custodian.enter({ ...id, device, kind }),
    );
    if (answer.result === 'refused') return answer.reason;
    await this.#context.record(enteredFact(id, device, kind));
    return undefined;
  }

  async #connect(
    entered: Entered,
    request: IncomingMessage,
    response: ServerResponse,
    { work, rest }: { work: AttemptWork; rest: Uint8Array },
  ): Promise<void> {
    const { clock } = this.#context;
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    response.flushHeaders();
    response.once('close', entered.end);
    let cancel = (): void => {};
    const stayAlive = (): void => {
      cancel = clock.after(ALIVE_EVERY_MS, () => {
        response.write(frame(ENTRY_FRAMES.alive, new Uint8Array()));
        stayAlive();
      });
    };
    stayAlive();
    entered.stdin.write(rest);
    request.on('error', entered.end).pipe(entered.stdin);
    try {
      const [code] = await Promise.all([
        entered.exited,
        forward(entered.stdout, response, ENTRY_FRAMES.out),
        forward(entered.stderr, response, ENTRY_FRAMES.err),
      ]);
      response.end(frame(ENTRY_FRAMES.exit, Buffer.from(JSON.stringify({ code }))));
    } finally {
      cancel();
      request.unpipe(entered.stdin).resume();
      this.#context.log.info('enter.ended', { ...work.id });
    }
  }
}

const REASONS = {
  'not-authorised': 'the policy does not allow this device to enter the job',
  label: 'the job’s data is confidential or restricted, and its owner has released nothing of this kind to this device',
  'not-current': 'the attempt is not the current one any more',
} as const;

interface ReadHead {
  readonly head: EntryHead;
  /** Standard input that came with the head. */
  readonly rest: Uint8Array;
}

async function readHead(request: IncomingMessage): Promise<ReadHead | undefined> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const chunk = await nextChunk(request);
    if (chunk === undefined) return undefined;
    bytes = Buffer.concat([bytes, chunk]);
    const end = bytes.indexOf(10);
    if (end >= 0) return parseHead(bytes.toString('utf8', 0, end), bytes.subarray(end + 1));
    if (bytes.length > LONGEST_HEAD) return undefined;
  }
}

/** The next piece of the body; undefined at its end. What comes after it stays in the stream. */
function nextChunk(request: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const look = (): void => {
      const chunk = request.read() as Buffer | null;
      if (chunk === null && !request.readableEnded && !request.destroyed) return;
      for (const event of ['readable', 'end', 'close']) request.off(event, look);
      resolve(chunk ?? undefined);
    };
    for (const event of ['readable', 'end', 'close']) request.on(event, look);
    look();
  });
}

function parseHead(line: string, rest: Uint8Array): ReadHead | undefined {
  const parsed = entryHead.safeParse(jsonOf(line));
  return parsed.success ? { head: parsed.data, rest } : undefined;
}

async function forward(from: AsyncIterable<unknown>, response: ServerResponse, kind: number): Promise<void> {
  for await (const chunk of from) {
    if (response.destroyed) return;
    if (!response.write(frame(kind, chunk as Buffer))) await drained(response);
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.once('drain', done).once('close', done);
  });
}

function frame(kind: number, bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(kind);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}
