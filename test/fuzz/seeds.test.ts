import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { suiteCleanup } from '../harness/cleanup.ts';
import { exchange } from '../harness/raw-connection.ts';
import { type Asker, makeAskers, makeParties } from './asker.ts';
import { type FuzzedAuthority, serveFuzzed } from './fuzzed-authority.ts';
import { expectedCsr } from './fuzzed-exchange.ts';
import { basic, encodeWhole, messageOf } from './message.ts';
import { parseSeed, type Seed, seedTexts } from './seed-text.ts';
import { loadSeeds } from './seeds.ts';

/** Without a mutation, a seed is a request that succeeds. */
describe('the seed', () => {
  const cleanup = suiteCleanup();
  const parties = makeParties();
  let authority: FuzzedAuthority;
  before(async () => {
    authority = await serveFuzzed(cleanup, parties);
  });

  const ask = async (
    seed: Seed,
    { key, entitled, ...asker }: Asker,
    secureContext = asker.contexts.nothing,
  ) => {
    const url = authority.listeners.tls13;
    const csr = expectedCsr(seed, { key, entitled, ...asker });
    const fill = { host: new URL(url).host, csr, authorization: basic(asker.id, asker.secret) };
    const target = { url, trust: authority.trustPem, tls: { secureContext } };
    return exchange(target, encodeWhole(messageOf(seed, fill)));
  };

  for (const [at, seed] of loadSeeds().entries()) {
    const status = seed.name.endsWith('-without-credential') ? 401 : 200;
    test(`${seed.name} is answered ${status}`, async () => {
      const askers = await makeAskers(authority, parties, at);
      const of = (kind: string) => askers.find(({ id }) => id.startsWith(kind))!;
      const operation = seed.target.split('/').at(-1)!;
      const answer =
        operation === 'serverkeygen'
          ? await ask(seed, of('sensor'))
          : operation === 'simplereenroll'
            ? await ask(seed, of('enrolled'), of('enrolled').contexts.own)
            : await ask(seed, of('expected'));
      assert.ok(answer);
      assert.equal(answer.status, status, answer.body);
    });
  }
});

describe('the text of a seed', () => {
  const bodies = {
    'one line': 'QUJDREVGRw==',
    'one line with its end': 'QUJDREVGRw==\n',
    'lines of 4': 'QUJD\nREVG\nRw==',
    'lines of 4 with CRLF, each ended': 'QUJD\r\nREVG\r\nRw==\r\n',
  };
  for (const [name, body] of Object.entries(bodies)) {
    test(`gives back what was sent: a body of ${name}`, () => {
      const head = `POST /a HTTP/1.1\r\nHost: here\r\nauthorization: Basic x\r\nContent-Length: ${body.length}`;
      const sent = Buffer.from(`${head}\r\n\r\n${body}`);
      const [text, ...more] = seedTexts(sent, 'here');
      assert.deepEqual(more, []);
      assert.doesNotMatch(text!, /Basic x|here|QUJD/);
      const fill = { host: 'here', authorization: 'Basic x', csr: Buffer.from('ABCDEFG') };
      assert.equal(encodeWhole(messageOf(parseSeed('a', text!), fill)).toString(), sent.toString());
    });
  }

  test('is one for each request of a connection', () => {
    const sent = 'GET /a HTTP/1.1\r\nHost: h\r\n\r\n';
    assert.deepEqual(
      seedTexts(Buffer.from(sent + sent), 'h'),
      Array(2).fill('GET /a HTTP/1.1\nHost: {{host}}\n\n'),
    );
  });

  test('says of a CRLF behind a message that it is there', () => {
    for (const [sent, text] of [
      ['GET /a HTTP/1.1\r\nHost: here\r\n\r\n\r\n', '\n{{crlf}}\n'],
      ['POST /a HTTP/1.1\r\nContent-Length: 4\r\n\r\nQUJD\r\n', '\n{{csr}}\n{{crlf}}\n'],
    ] as const) {
      const texts = seedTexts(Buffer.from(sent + sent), 'here');
      assert.equal(texts.length, 2);
      const fill = { host: 'here', authorization: '', csr: Buffer.from('ABC') };
      for (const each of texts) {
        assert.ok(each.endsWith(text), each);
        assert.equal(encodeWhole(messageOf(parseSeed('a', each), fill)).toString(), sent);
      }
    }
  });

  test('with another form of the body is refused', () => {
    assert.throws(
      () => parseSeed('a', 'POST /a HTTP/1.1\nHost: {{host}}\n\n{{csr 64}}\n'),
      /no form of a body/,
    );
  });
});
