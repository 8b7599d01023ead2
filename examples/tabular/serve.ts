// node serve.ts --model DIR --port PORT: answers POST /predict {"rows": [[30 numbers], …]} with the probability that each is malignant.
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { probability, standardise, type Scaling, type Weights } from './logistic-regression.ts';

const MOST_ROWS = 1_000;
const LARGEST_BODY = 1 << 20;

const { values } = parseArgs({ options: { model: { type: 'string' }, port: { type: 'string' } } });
if (values.model === undefined || values.port === undefined)
  throw new Error('usage: node serve.ts --model DIR --port PORT');
const model = JSON.parse(readFileSync(join(values.model, 'model.json'), 'utf8')) as Scaling & Weights;

createServer((request, response) => {
  answer(request, response).catch(() => response.destroy());
}).listen(Number(values.port), '127.0.0.1', () => console.log(`model on port ${values.port}`));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'GET' && request.url === '/health') return send(response, 200, { ok: true });
  if (request.method !== 'POST' || request.url !== '/predict') return send(response, 404, { error: 'POST /predict' });
  const rows = readRows(await bodyOf(request));
  if (typeof rows === 'string') return send(response, 400, { error: rows });
  send(response, 200, { malignant: rows.map((row) => Number(probability(standardise(row, model), model).toFixed(4))) });
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of request.setEncoding('utf8')) {
    text += part;
    if (text.length > LARGEST_BODY) throw new Error('the body is longer than 1 MiB');
  }
  return text;
}

/** Rows of measurements, or what is wrong with them. */
function readRows(body: string): number[][] | string {
  const wanted = `rows: 1 to ${MOST_ROWS} lists of ${model.means.length} numbers`;
  try {
    const { rows } = JSON.parse(body) as { rows?: unknown };
    if (!Array.isArray(rows) || rows.length < 1 || rows.length > MOST_ROWS) return wanted;
    return rows.every(isRow) ? rows : wanted;
  } catch {
    return wanted;
  }
}

function isRow(row: unknown): row is number[] {
  return Array.isArray(row) && row.length === model.means.length && row.every((value) => Number.isFinite(value));
}
