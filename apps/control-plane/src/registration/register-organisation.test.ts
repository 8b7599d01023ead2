import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { newId, Secret, systemRng } from '@ringfence/base';
import { checkCodeProof, codeProof, openControlPlaneKeys, parseRegistrationCode } from '@ringfence/keyring';
import { ShiftedClock, startDatabase, startReplica } from '../control-plane.fixture.ts';
import { codeOf, TestOrganisation } from '../organisation.fixture.ts';
import { printCode } from './print-code.fixture.ts';

test('registration codes', async (t) => {
  const database = await startDatabase(t);
  const clock = new ShiftedClock();
  const controlPlane = await startReplica(t, { databaseUrl: database.url, clock });
  const file = controlPlane.ready['registration_code_file'] ?? '';
  const first = codeOf(controlPlane);
  const houses = Array.from({ length: 64 }, () => new TestOrganisation(clock));
  const [house = assert.fail()] = houses;
  const nobody = house.client(t, controlPlane, 'nobody');

  await t.test('lie private in the state folder until they are spent', async () => {
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  await t.test('one code registers one organisation, however many try at once', async () => {
    const answers = await Promise.allSettled(houses.map((each) => nobody.register(each.registration(first))));
    const won = answers.filter(({ status }) => status === 'fulfilled');
    assert.equal(won.length, 1);
    for (const answer of answers)
      if (answer.status === 'rejected') assert.equal((answer.reason as { code: string }).code, 'bad-code');
    assert.equal(existsSync(file), false);
  });

  await t.test(
    'the same registration gives the same answer, at once and later, and proves the control plane',
    async () => {
      const text = await printCode(t, controlPlane, database.url);
      const code = parseRegistrationCode(text);
      const [body, mine] = [new TestOrganisation(clock), nobody];
      const registration = body.registration(text);
      const answers = await Promise.all(Array.from({ length: 16 }, () => mine.register(registration)));
      assert.equal(new Set(answers.map((answer) => JSON.stringify(answer))).size, 1);
      const { proof, ...answer } = await mine.register(registration);
      assert.ok(checkCodeProof(code.secret, { message: 'registration-answer', link: null, body: answer }, proof));
      const { id, root } = code.route.controlPlane;
      assert.notEqual(openControlPlaneKeys(answer.keys, { id, root }, clock.now()), undefined);
    },
  );

  await t.test(
    'a spent code, a wrong proof, changed keys, a taken custodian and an old code are refused alike',
    async () => {
      const text = await printCode(t, controlPlane, database.url);
      const code = parseRegistrationCode(text);
      const fresh = new TestOrganisation(clock);
      const good = fresh.registration(text);
      const wrongSecret = new Secret(systemRng.bytes(16));
      const { proof: _, ...body } = good;
      const taken = { ...body, custodian: fresh.custodian.id, org: newId('org', systemRng) };
      const sign = (secret: Secret, of: typeof body) => ({
        ...of,
        proof: codeProof(secret, { message: 'registration-request', link: null, body: of }),
      });
      const refused = [
        { ...good, org: newId('org', systemRng) },
        { ...good, enrolment: fresh.custodian.sign.publicKey },
        sign(wrongSecret, body),
        sign(code.secret, { ...body, code: newId('joinCode', systemRng) }),
        house.registration(first),
      ];
      // Whoever won the race holds the first code's organisation; all the others were refused before.
      const tries = await Promise.allSettled(refused.slice(0, 4).map((each) => nobody.register(each)));
      for (const each of tries)
        assert.equal(each.status === 'rejected' && (each.reason as { code: string }).code, 'bad-code');
      await nobody.register(good);
      const again = await printCode(t, controlPlane, database.url);
      const secret = parseRegistrationCode(again).secret;
      await assert.rejects(nobody.register(sign(secret, { ...taken, code: parseRegistrationCode(again).id })), {
        code: 'bad-code',
      });
      await assert.rejects(
        nobody.register(
          sign(secret, { ...body, sign: house.custodian.sign.publicKey, code: parseRegistrationCode(again).id }),
        ),
        { code: 'bad-code' },
      );
      clock.shift(8 * 86_400_000);
      await assert.rejects(nobody.register(new TestOrganisation(clock).registration(again)), { code: 'bad-code' });
    },
  );
});
