import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scoreText, termsText } from './score-text.ts';

const terms = { cost: 2.5, speed: 1, reliability: 0, gravity: 0 };

test('a score is the sum of what it is made of', () => {
  assert.equal(scoreText(3.5, terms), 'score 3.5 = price 2.5 + speed 1');
  assert.equal(termsText({ cost: 0, speed: 0, reliability: 0, gravity: 0 }), 'nothing');
});

test('an unknown price is no number, whatever the job weighs costs by', () => {
  assert.equal(scoreText(10_000_001, { ...terms, cost: 10_000_000 }), 'score price unknown + speed 1');
  assert.equal(termsText({ ...terms, cost: 5_000_000 }, 0.5), 'price unknown + speed 1');
  assert.equal(termsText({ ...terms, cost: 0 }, 0), 'speed 1');
  assert.equal(termsText({ ...terms, cost: 5_000_000 }), 'price 5000000 + speed 1', 'dear, and known');
});
