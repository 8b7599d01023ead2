// Against a stand-in for nvidia-smi that prints the real program's formats: no card is behind these tests.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeldCards } from './gpu-cards.ts';
import { lookForCards } from './gpu-cards.ts';
import { gpuAccess } from './gpu-access.ts';
import { cardValues } from './card-values.ts';
import { standIn, uuidOf } from './stand-in.fixture.ts';

const A100 = { model: 'A100', memoryBytes: 80e9, count: 1 };

function held(answer: HeldCards | string): HeldCards {
  if (typeof answer === 'string') assert.fail(answer);
  return answer;
}

test('cards are offered by kind, without those that another program computes on', async (t) => {
  const smi = standIn(t);
  const kinds = (await lookForCards(smi.program)).offered;
  assert.deepEqual(kinds, [
    { model: 'A100', memoryBytes: 85_899_345_920, count: 2 },
    { model: 'T4', memoryBytes: 16_106_127_360, count: 1 },
  ]);
  smi.use(uuidOf(0));
  assert.deepEqual(
    (await lookForCards(smi.program)).offered.map(({ model, count }) => [model, count]),
    [
      ['A100', 1],
      ['T4', 1],
    ],
  );
});

test('a card has one holder, and none while another process computes on it', async (t) => {
  const smi = standIn(t);
  const gpus = await lookForCards(smi.program);
  // Side by side: both look before either has taken.
  const [first, second] = (await Promise.all([gpus.take(A100), gpus.take(A100)])).map(held);
  assert.deepEqual(
    [first?.cards, second?.cards]
      .flatMap((cards) => cards?.map(({ index }) => index))
      .toSorted((a = 0, b = 0) => a - b),
    [0, 1],
  );
  assert.equal(await gpus.take(A100), 'gpu-in-use');
  first?.release();
  smi.use(uuidOf(first?.cards[0]?.index ?? 9));
  assert.equal(await gpus.take(A100), 'gpu-in-use', 'it is free to us and taken by somebody else');
  smi.use();
  assert.equal(held(await gpus.take(A100)).cards[0]?.index, first?.cards[0]?.index);
});

test('what the machine lacks is refused by name', async (t) => {
  const smi = standIn(t);
  const gpus = await lookForCards(smi.program);
  assert.equal(await gpus.take({ ...A100, model: 'H100' }), 'gpu-model');
  assert.equal(await gpus.take({ ...A100, memoryBytes: 90e9 }), 'gpu-memory');
  assert.equal(await gpus.take({ ...A100, count: 3 }), 'gpu-count');
  assert.equal(await gpus.take({ memoryBytes: 0, count: 3 }), 'gpu-count', 'cards of one job are of one kind');
  assert.equal((await lookForCards(null)).offered.length, 0);
  assert.equal(await (await lookForCards(null)).take(A100), 'no-gpu');
  assert.equal(
    held(await gpus.take({ memoryBytes: 0, count: 1 })).cards[0]?.model,
    'T4',
    'the smallest that is enough',
  );
});

test('a driver that does not answer offers nothing and gives nothing', async (t) => {
  const smi = standIn(t);
  const gpus = await lookForCards(smi.program);
  smi.fail();
  assert.equal(await gpus.take(A100), 'gpu-driver');
  const none = await lookForCards(smi.program);
  assert.deepEqual(none.offered, []);
  assert.match(none.problem ?? '', /nvidia-smi/);
});

test('a sandbox gets the nodes of its cards by device number, numbered from 0; a process gets the machine’s numbers', async (t) => {
  const smi = standIn(t);
  const gpus = await lookForCards(smi.program);
  const { cards } = held(await gpus.take({ ...A100, count: 2 }));
  const inSandbox = gpuAccess(cards.slice(1), 'sandbox', smi.devices);
  assert.deepEqual(inSandbox.env, {
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    CUDA_VISIBLE_DEVICES: '0',
    NVIDIA_VISIBLE_DEVICES: '1',
  });
  assert.deepEqual(inSandbox.devices[0], { hostPath: `${smi.devices}/nvidia0`, sandboxPath: '/dev/nvidia0' });
  assert.equal(gpuAccess(cards, 'process').env['CUDA_VISIBLE_DEVICES'], '0,1');
  assert.deepEqual(gpuAccess([], 'sandbox'), { env: {}, devices: [] });
  assert.deepEqual(
    (await cardValues(gpus, cards.slice(1))).map(({ name, value, labels }) => [name, value, labels]),
    [
      ['gpu', 87, { card: '0' }],
      ['gpu-memory', 40_536 * 1_048_576, { card: '0' }],
    ],
  );
});
