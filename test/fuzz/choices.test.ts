import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { der } from '#x509';
import { csrFor, makeKey } from '../harness/csr.ts';
import type { Asker } from './asker.ts';
import { Choices } from './choices.ts';
import { editDer } from './der-edits.ts';
import { fuzzedExchange } from './fuzzed-exchange.ts';
import { loadSeeds } from './seeds.ts';

describe('choices', () => {
  const key = makeKey();
  const asker: Asker = {
    id: 'device-1',
    secret: 'secret',
    template: 'device',
    key,
    spareKeys: [makeKey()],
    contexts: {} as Asker['contexts'],
    entitled: {
      template: 'device',
      subjectAltName: [{ kind: 'dns', value: 'a.example.org' }],
      madeKeys: false,
      spkis: [],
    },
  };
  const sender = { asker, others: [asker], proof: 'own', host: 'localhost', seeds: loadSeeds() } as const;
  const exchangesOf = (seed: number, connection: number) =>
    Array.from({ length: 200 }, (_, at) => fuzzedExchange(new Choices(seed, connection, at), sender));
  // Signatures are random, and with them the bytes of a request and sometimes their number.
  const shape = (seed: number, connection: number) =>
    exchangesOf(seed, connection).map(
      ({ bytes, owed, methods }) => `${owed} ${methods.join()} ${bytes.toString('latin1').split('\r\n')[0]}`,
    );

  test('of the same seed and connection are the same requests, so that a failure can be repeated', () => {
    const damagesNothing = (line: string) => !line.startsWith('any');
    assert.deepEqual(shape(7, 3).filter(damagesNothing), shape(7, 3).filter(damagesNothing));
    assert.notDeepEqual(shape(7, 3), shape(7, 4));
    assert.notDeepEqual(shape(7, 3), shape(8, 3));
  });

  test('make requests of every kind', () => {
    const kinds = new Set(exchangesOf(1, 1).map(({ owed, methods }) => `${owed} ${methods.length > 1}`));
    assert.deepEqual([...kinds].toSorted(), ['any false', 'each false', 'each true', 'one false']);
  });

  test('edit DER without looking at what it means, and what is no DER as well', () => {
    const csr = csrFor('device-1', key);
    const choices = new Choices(1, 1);
    const edited = Array.from({ length: 500 }, () => editDer(choices, csr).toString('hex'));
    assert.ok(new Set(edited).size > 250);
    for (const hex of edited) editDer(choices, Buffer.from(hex, 'hex'));
  });

  test('edit DER that is nested as deep as an edit makes it', () => {
    let nested: Uint8Array = csrFor('device-1', key);
    for (let depth = 0; depth < 1000; depth += 1) nested = der.sequence(nested);
    for (let at = 0; at < 20; at += 1) editDer(new Choices(1, at), nested);
  });

  test('are spread over their whole range', () => {
    const choices = new Choices(1, 2);
    const counts = Array<number>(10).fill(0);
    for (let at = 0; at < 10_000; at += 1) counts[choices.below(10)]! += 1;
    assert.ok(
      counts.every((count) => count > 850 && count < 1150),
      counts.join(),
    );
  });
});
