import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ActEntry } from '#enrollment';
import { entryLine, entryWords } from './entry-words.ts';
import { colours, noPaint } from './render/paint.ts';
import { Session } from './session.ts';
import type { Terminal } from './terminal.ts';

const now = Date.UTC(2026, 10, 22, 12);
const session = new Session(
  { environment: {}, folder: '/', now: () => now, outIsTerminal: false } as unknown as Terminal,
  {},
);

const act: ActEntry = {
  type: 'act',
  version: 2,
  id: 'A-1',
  time: now - 60_000,
  operator: 'ada',
  act: 'device.suspend',
  detail: { device: 'laptop-7', from: 'active', to: 'suspended', remark: null },
};

test('an act is one line: index, time, what, by whom, about what', () => {
  assert.equal(
    entryLine(7, act, noPaint),
    '      7  2026-11-22T11:59:00Z  device.suspend      ada               laptop-7',
  );
});

test('an entry in full leaves out what is null', () => {
  const words = entryWords(session, '7', act);
  assert.match(words, /^time {4}2026-11-22T11:59:00Z \(60 s ago|1 min ago\)$/m);
  assert.match(words, /^device {2}laptop-7$/m);
  assert.doesNotMatch(words, /remark/);
});

test('an entry of a later version is shown as it is', () => {
  const later = { type: 'act', version: 3, anything: ['goes'] };
  assert.match(entryLine(7, later, noPaint), /another version/);
  assert.match(entryWords(session, '7', later), /anything +goes/);
});

test('whatever names an entry holds: one line of 100 columns, no control characters', () => {
  const name = fc.string({ unit: 'binary', maxLength: 200 });
  fc.assert(
    fc.property(name, name, fc.nat(), (operator, device, index) => {
      const line = entryLine(index % 1e7, { ...act, operator, detail: { device } }, noPaint);
      assert.ok([...line].length <= 100);
      assert.doesNotMatch(line, /\p{Cc}|\p{Cf}/u);
    }),
  );
});

test('a colour for the state leaves the columns where they are', () => {
  const refused = { ...act, act: 'refused' };
  const bare = entryLine(7, refused, colours).replaceAll(/\u001B\[\d+m/g, '');
  assert.equal(bare, entryLine(7, refused, noPaint));
});
