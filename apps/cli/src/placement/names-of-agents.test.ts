import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiRefusal } from '@ringfence/client/api';
import type { Session } from '../session.ts';
import { namedAgents, namesOfAgents } from './names-of-agents.ts';

const sessionWhere = (agents: () => Promise<unknown>) => ({ custodian: { agents } }) as unknown as Session;

test('agents go by their ids where no role of the device lets it list them, and other faults stay faults', async () => {
  const named = { agent: 'agent_one', name: 'rack', site: 'lab' };
  const nameOf = await namesOfAgents(sessionWhere(async () => [named]));
  assert.deepEqual([nameOf('agent_one'), nameOf('agent_two')], ['rack', 'agent_two']);
  const refused = sessionWhere(() => Promise.reject(new ApiRefusal(403, 'not-authorised', 'no role')));
  assert.equal((await namesOfAgents(refused))('agent_one'), 'agent_one');
  assert.deepEqual(await namedAgents(refused), []);
  await assert.rejects(namedAgents(sessionWhere(() => Promise.reject(new TypeError('a bug')))), TypeError);
});
