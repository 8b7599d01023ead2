// The examples in Python as their pages say: trained, served and called through the whole house.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { startHouse, type House } from '../../scripts/house/index.ts';
import { need } from '../../scripts/needs.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples');
const IMAGES = '/usr/share/datasets/fashion-mnist';
const IDX_HEADER = 16;
const PIXELS = 784;
const root = mkdtempSync(join(tmpdir(), 'ringfence-python-'));
let house: House;

before(async () => {
  const env = { 'agent-1': { RINGFENCE_GATEWAY: '1' } };
  house = await startHouse({ root: join(root, 'house'), agents: 1, env });
  await cli('endpoint', 'gateway', 'add', 'agent-1');
});

after(async () => {
  await house?.stop();
  rmSync(root, { recursive: true, force: true });
});

async function cli(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await house.cli(args, { within: 300_000 });
  assert.equal(code, 0, `ringfence ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** The last value of each series that a job reported. */
async function lastOf(job: string): Promise<Record<string, number>> {
  const { series } = JSON.parse(await cli('metrics', job, '--json')) as {
    series: { name: string; points: { value: number }[] }[];
  };
  return Object.fromEntries(series.map(({ name, points }) => [name, points.at(-1)?.value ?? Number.NaN]));
}

test('fashion-mnist: scikit-learn trains on 60,000 images, the model is served and tells what it sees', async (t) => {
  if (!need(t, 'fashion-mnist', 'bubblewrap')) return;
  await cli('dataset', 'add', 'fashion-mnist', IMAGES, '--label', 'internal');
  await cli('launch', '-y', join(EXAMPLES, 'fashion-mnist/train.yaml'));
  const { accuracy = 0 } = await lastOf('fashion-train');
  assert.ok(accuracy > 0.8, `accuracy ${accuracy}`);
  await cli('launch', '-y', join(EXAMPLES, 'fashion-mnist/serve.yaml'));
  const images = gunzipSync(readFileSync(join(IMAGES, 't10k-images-idx3-ubyte.gz'))).subarray(IDX_HEADER);
  const body = join(root, 'images.json');
  const first = [0, 1, 2].map((index) => [...images.subarray(index * PIXELS, (index + 1) * PIXELS)]);
  writeFileSync(body, JSON.stringify({ images: first }));
  const { predictions } = JSON.parse(await cli('endpoint', 'call', 'fashion', '/predict', '-d', `@${body}`)) as {
    predictions: { class: string }[];
  };
  // Labels of the first three images of the held-out part: 9, 2, 1.
  assert.deepEqual(
    predictions.map((prediction) => prediction.class),
    ['ankle-boot', 'pullover', 'trouser'],
  );
});

test('llm-endpoint: a model that one of our jobs trained streams its words in OpenAI’s form', async (t) => {
  if (!need(t, 'python3', 'bubblewrap')) return;
  await cli('dataset', 'add', 'licences', '/usr/share/common-licenses', '--label', 'public');
  await cli('launch', '-y', join(EXAMPLES, 'llm-endpoint/train.yaml'));
  const { perplexity = Number.POSITIVE_INFINITY } = await lastOf('llm-train');
  assert.ok(perplexity < 50, `perplexity ${perplexity}`);
  await cli('launch', '-y', join(EXAMPLES, 'llm-endpoint/serve.yaml'));
  const models = JSON.parse(await cli('endpoint', 'call', 'llm', '/v1/models')) as { data: { id: string }[] };
  assert.deepEqual(
    models.data.map(({ id }) => id),
    ['llm'],
  );
  const wish = { model: 'llm', messages: [{ role: 'user', content: 'The software is' }], max_tokens: 12, seed: 7 };
  const streamed = await cli(
    'endpoint',
    'call',
    'llm',
    '/v1/chat/completions',
    '-d',
    JSON.stringify({ ...wish, stream: true }),
  );
  const events = streamed.split('\n\n').filter((event) => event !== '');
  assert.equal(events.at(-1), 'data: [DONE]');
  const words = events.slice(0, -1).map((event) => {
    const { choices } = JSON.parse(event.replace('data: ', '')) as { choices: { delta: { content?: string } }[] };
    return choices[0]?.delta.content ?? '';
  });
  assert.equal(words.length, 13, 'twelve words and the end');
  const whole = JSON.parse(
    await cli('endpoint', 'call', 'llm', '/v1/chat/completions', '-d', JSON.stringify(wish)),
  ) as {
    choices: { message: { content: string } }[];
  };
  assert.equal(whole.choices[0]?.message.content, words.join(''), 'the same seed says the same');
  const refused = await house.cli(['endpoint', 'call', 'llm', '/v1/chat/completions', '-d', '{"messages": 1}']);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stdout + refused.stderr, /invalid_request_error/);
});
