/** What a client sent over a TLS 1.3 connection, as its records show from outside. */
export interface TlsAccount {
  /** Bytes of a CONNECT request to a proxy before TLS. */
  readonly clear: number;
  /** Bytes of records before application data, with their headers. */
  readonly handshake: number;
  /** Bytes of application data, without headers and tags. */
  readonly application: number;
  /** Application records. */
  readonly records: number;
  /** It ended with an alert (RFC 8446 §6), whose two bytes are not in `application`. */
  readonly alert: boolean;
  /** Bytes at the end that are no whole record. */
  readonly rest: number;
}

const HEADER = 5;
/** Tag of 16 bytes and inner content type (RFC 8446 §5.2); Node's TLS pads nothing. */
const SEALING = 17;
const CHANGE_CIPHER_SPEC = 20;
const HANDSHAKE = 22;
const APPLICATION = 23;
const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
/** A hello, and one more when the server asks for another key share (RFC 8446 §4.1.4). */
const MOST_HELLOS = 2;
/** Node's is about 1,500 bytes, most of them the key share of the hybrid group. */
const LONGEST_HELLO = 4_096;
const SHA384_SUITE = 0x1302;

/**
 * Takes apart what a TLS 1.3 client sent: `ClientHello`, `change_cipher_spec`, `Finished`, application data. Undefined when it is
 * something else. `server` is what came back, as far as it is there: its cipher suite says how long `Finished` is.
 */
export function tlsAccount(client: Uint8Array, server: Uint8Array): TlsAccount | undefined {
  const clear = connectLength(client);
  const finished = 4 + (suiteOf(server.subarray(clear === 0 ? 0 : connectLength(server, 'HTTP/1.'))) ?? 48) + SEALING;
  let handshake = 0;
  let application = 0;
  let records = 0;
  let last = 0;
  let seenFinished = false;
  let hellos = 0;
  let changes = 0;
  let at = clear;
  while (at + HEADER <= client.length) {
    const type = client[at];
    const length = ((client[at + 3] ?? 0) << 8) | (client[at + 4] ?? 0);
    if (client[at + 1] !== 3 || length > 16_640) return undefined;
    if (at + HEADER + length > client.length) break;
    if (!seenFinished) {
      if (type === HANDSHAKE) hellos += 1;
      else if (type === CHANGE_CIPHER_SPEC) changes += 1;
      else seenFinished = true;
      const first = client[at + HEADER];
      const fits =
        type === HANDSHAKE
          ? first === CLIENT_HELLO && hellos <= MOST_HELLOS && length <= LONGEST_HELLO
          : type === CHANGE_CIPHER_SPEC
            ? first === 1 && length === 1 && changes === 1
            : type === APPLICATION && length === finished;
      if (!fits || hellos === 0) return undefined;
      handshake += HEADER + length;
    } else {
      // An empty record says nothing to the other side, but its tag could.
      if (type !== APPLICATION || length <= SEALING) return undefined;
      application += length - SEALING;
      last = length - SEALING;
      records += 1;
    }
    at += HEADER + length;
  }
  const alert = last === 2;
  return {
    clear,
    handshake,
    application: alert ? application - 2 : application,
    records,
    alert,
    rest: client.length - at,
  };
}

/** Bytes of an HTTP head that begins with `CONNECT` or is the answer to one; 0 when there is none. */
function connectLength(bytes: Uint8Array, begins = 'CONNECT '): number {
  const head = Buffer.from(bytes.subarray(0, 16_384)).toString('latin1');
  return head.startsWith(begins) ? head.indexOf('\r\n\r\n') + 4 : 0;
}

/** Bytes of the hash of the cipher suite in a ServerHello (RFC 8446 §4.1.3, B.4); undefined when it is not there. */
function suiteOf(server: Uint8Array): number | undefined {
  if (server[0] !== HANDSHAKE || server[HEADER] !== SERVER_HELLO) return undefined;
  const session = HEADER + 4 + 2 + 32;
  const at = session + 1 + (server[session] ?? 0);
  const suite = ((server[at] ?? 0) << 8) | (server[at + 1] ?? 0);
  if (at + 2 > server.length) return undefined;
  return suite === SHA384_SUITE ? 48 : 32;
}
