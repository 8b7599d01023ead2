import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { epochMs, ManualClock } from '@ringfence/base';
import type { Notice } from '@ringfence/protocol/api';
import { temporaryFolder } from '../cli-process.fixture.ts';
import type { Terminal } from '../terminal.ts';
import type { NoticeSources } from './notices.ts';
import { showNotices, tellNotices } from './told-notices.ts';

const HOUR_MS = 3_600_000;
const notice = (id: string, at = 1): Notice => ({
  id,
  at: epochMs(at),
  about: { kind: 'factor-added', factor: 'passkey' },
  text: `what ${id} says`,
});
const line = (id: string, at = 1): string => `notice: 1970-01-01T00:00:00.00${at}Z  what ${id} says`;

test('a notice is told once, after the command, at most once an hour', async (t) => {
  const house = start(t);
  house.notices = [notice('one')];
  assert.deepEqual(await house.command(), [line('one')]);
  house.notices = [notice('two', 2), notice('one')];
  assert.deepEqual(await house.command(), [], 'nobody was asked');
  assert.equal(house.asked, 1);
  house.clock.advance(HOUR_MS);
  assert.deepEqual(await house.command(), [line('two', 2)]);
  house.clock.advance(HOUR_MS);
  assert.deepEqual(await house.command(), []);
  assert.equal(house.asked, 3);
});

test('with --json, without somebody who watches, or from a command of a test nobody is asked', async (t) => {
  const house = start(t);
  house.notices = [notice('one')];
  assert.deepEqual(await house.command({ json: true }), []);
  assert.deepEqual(await house.command({ watched: false }), []);
  await tellNotices({ ...house.context({}), afterwards: undefined }, house.session);
  assert.equal(house.asked, 0);
  assert.deepEqual(await house.command(), [line('one')]);
});

test('of many the newest five are told, and where the others are', async (t) => {
  const house = start(t);
  house.notices = Array.from({ length: 8 }, (_, index) => notice(`n${index}`, 9 - index));
  const lines = await house.command();
  assert.deepEqual(
    lines.slice(0, 5),
    [0, 1, 2, 3, 4].map((index) => line(`n${index}`, 9 - index)),
  );
  assert.deepEqual(lines.slice(5), ['notice: 3 more, see `ringfence account notices`']);
});

test('a custodian that hangs takes nothing from what the control plane told, and less than a second', async (t) => {
  const house = start(t);
  house.notices = [notice('one')];
  house.custodian = () => new Promise(() => {});
  const waiting = house.command();
  house.clock.advance(700);
  assert.deepEqual(await waiting, [line('one')]);
  assert.deepEqual(await house.command(), []);
  assert.equal(house.asked, 1, 'something answered, so nobody is asked for an hour');
  assert.equal(house.clock.waiting, 0);
});

test('where nothing answers it is asked again after a minute', async (t) => {
  const house = start(t);
  house.fails = true;
  assert.deepEqual(await house.command(), []);
  house.fails = false;
  house.notices = [notice('one')];
  house.clock.advance(59_999);
  assert.deepEqual(await house.command(), []);
  house.clock.advance(1);
  assert.deepEqual(await house.command(), [line('one')]);
  assert.equal(house.asked, 2);
});

test('what was shown at a terminal is told, once it is there; what a program or nobody read is not', async (t) => {
  const house = start(t);
  house.notices = [notice('one')];
  const show = (how: { json?: boolean; watched?: boolean }): string[] => {
    const said: string[] = [];
    const toldNow = (): boolean => existsSync(join(house.home, 'told-notices.json'));
    const line = (text: string): void => void said.push(`${toldNow() ? 'told' : 'new'}: ${text}`);
    const terminal = { ...house.context(how).terminal, line, value: () => undefined };
    const read = { notices: house.notices, silent: { custodian: 'unreachable' } };
    showNotices({ ...house.context(how), terminal }, read);
    return said;
  };
  const expected = [`new: ${line('one').slice('notice: '.length)}\nthe custodian did not answer: unreachable`];
  for (const how of [{ json: true }, { watched: false }, {}]) assert.deepEqual(show(how), expected);
  assert.deepEqual(await house.command(), []);
  assert.equal(house.asked, 0, 'what was just shown is not asked for');
  house.clock.advance(HOUR_MS);
  house.notices = [notice('two', 2), notice('one')];
  assert.deepEqual(await house.command(), [line('two', 2)]);
});

test('a control plane that refuses or is silent, and a home that is damaged, cost no command anything', async (t) => {
  const house = start(t);
  house.fails = true;
  assert.deepEqual(await house.command(), []);
  house.clock.advance(HOUR_MS);
  house.fails = false;
  house.silent = true;
  const waiting = house.command();
  house.clock.advance(1_000);
  assert.deepEqual(await waiting, []);
  house.clock.advance(HOUR_MS);
  house.silent = false;
  house.notices = [notice('one')];
  assert.deepEqual(await house.command(), [line('one')]);
  writeFileSync(join(house.home, 'told-notices.json'), '{');
  assert.deepEqual(await house.command(), [line('one')], 'what was told is not known any more');
});

/** A home, a clock, and what both processes would answer. */
function start(t: TestContext) {
  const home = temporaryFolder(t);
  const clock = new ManualClock(epochMs(1_800_000_000_000));
  const house = {
    home,
    clock,
    asked: 0,
    fails: false,
    silent: false,
    notices: [] as Notice[],
    custodian: async (): Promise<never> => Promise.reject(new Error('away')),
    session: undefined as unknown as NoticeSources,
    context: ({ json = false, watched = true }: { json?: boolean; watched?: boolean }, said: string[] = []) => {
      const terminal = { json, watched, note: (text: string) => void said.push(text) } as Partial<Terminal> as Terminal;
      return { terminal, clock, home };
    },
    async command(how: { json?: boolean; watched?: boolean } = {}): Promise<string[]> {
      const said: string[] = [];
      const steps: (() => void)[] = [];
      const afterwards = (step: () => void): void => void steps.push(step);
      await tellNotices({ ...house.context(how, said), afterwards }, house.session);
      assert.deepEqual(said, [], 'not before the command is done');
      for (const step of steps) step();
      return said;
    },
  };
  const notices = async (): Promise<Notice[]> => {
    house.asked += 1;
    if (house.fails) throw new Error('refused');
    return house.silent ? new Promise<Notice[]>(() => {}) : house.notices;
  };
  const custodian = { keyring: () => house.custodian() };
  house.session = { controlPlane: { notices }, custodian, profile: {} } as unknown as NoticeSources;
  return house;
}
