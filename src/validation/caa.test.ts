import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { type Challenge, validate, validateCaa } from '#validation';
import {
  challengeFor,
  digestOf,
  dnsServer,
  keyAuthorization,
  settingsFor,
} from '../../test/harness/challenge.ts';
import { suiteCleanup } from '../../test/harness/cleanup.ts';
import type { DnsServer } from '../../test/harness/dns-server.ts';
import { caaPropertyOf, parseIssueValue } from './caa-property.ts';

const account = 'https://ca.example/acme/account/1';

describe('CAA (RFC 8659)', () => {
  const cleanup = suiteCleanup();
  let dns: DnsServer;
  before(async () => {
    dns = await dnsServer(cleanup);
  });
  let names = 0;
  type Records = Parameters<DnsServer['caa']>[1][];
  const outcome = async (records: Records, changes: Partial<Challenge> = {}) => {
    const name = `n${(names += 1)}.example`;
    dns.caa(name, ...records);
    return validateCaa(challengeFor('dns-01', name, changes), settingsFor(dns, { caa: 'CA.example' }));
  };
  const permits = async (records: Records, changes: Partial<Challenge> = {}) => {
    assert.deepEqual(
      await outcome(records, changes),
      { valid: true, addresses: [] },
      JSON.stringify(records),
    );
  };
  const forbids = async (words: RegExp, records: Records, changes: Partial<Challenge> = {}) => {
    const found = await outcome(records, changes);
    assert.ok(!found.valid, JSON.stringify(records));
    assert.match(found.detail, words);
    assert.deepEqual([found.problem, found.transient], ['caa', false]);
  };

  test('section 3: the nearest records count, up to and without the root', async () => {
    dns.caa('one.example', [0, 'issue', 'other.example']);
    dns.caa('www.one.example', [0, 'issue', 'ca.example']);
    dns.questions.length = 0;
    const at = (value: string) =>
      validateCaa(challengeFor('dns-01', value), settingsFor(dns, { caa: 'ca.example' }));
    assert.equal((await at('a.b.www.one.example')).valid, true);
    assert.deepEqual(dns.questions, [
      'a.b.www.one.example CAA',
      'b.www.one.example CAA',
      'www.one.example CAA',
    ]);
    const found = await at('ftp.one.example');
    assert.ok(!found.valid);
    assert.equal(found.detail, 'the CAA records at one.example do not name ca.example');
    dns.questions.length = 0;
    assert.equal((await at('a.nothing.example')).valid, true);
    assert.deepEqual(dns.questions, ['a.nothing.example CAA', 'nothing.example CAA', 'example CAA']);
  });

  test('section 4.2: issue names us, once of several, in any case', async () => {
    await permits([[0, 'issue', 'ca.example']]);
    await permits([[0, 'ISSUE', ' Ca.Example \t; ']]);
    await permits([
      [0, 'issue', 'other.example'],
      [128, 'issue', 'ca.example; x=y'],
    ]);
    await forbids(/do not name CA.example/, [[0, 'issue', ';']]);
    await forbids(/do not name CA.example/, [[0, 'issue', 'www.ca.example']]);
    await forbids(/do not name CA.example/, [[0, 'issue', 'example']]);
  });

  test('section 4.2: what is malformed names nobody', async () => {
    for (const value of [
      '%%%%%',
      'ca.example.',
      'ca.example x',
      'ca.example;x',
      'ca.example;x=y;',
      'ca.example;;x=y',
      'ca..example',
      '-ca.example',
      'ca.example;x y=z',
      'ca.example;x=y z',
      'ca.example;x=y\u007f',
      'ca.example\n',
    ]) {
      await forbids(/do not name CA.example/, [[0, 'issue', value]]);
    }
  });

  test('section 4.1: a critical property that is not known forbids, one that is not critical does not', async () => {
    await forbids(/critical property/, [
      [0, 'issue', 'ca.example'],
      [128, 'tbs', 'unknown'],
    ]);
    await forbids(/critical property/, [[255, 'issuemail', 'ca.example']]);
    await permits([[0, 'tbs', 'unknown']]);
    await permits([[127, 'tbs', 'unknown']]);
    await permits([[128, 'iodef', 'mailto:security@example.org']]);
  });

  test('a property whose name hides its flags counts as critical', async () => {
    await forbids(/critical property/, [
      [0, 'issue', 'ca.example'],
      [0, 'critical', 'x'],
    ]);
  });

  test('section 4.3: issuewild alone says who issues a wildcard, and nothing of names', async () => {
    const wildcard = { wildcard: true };
    const forWildcards: Records = [
      [0, 'issue', 'other.example'],
      [0, 'issuewild', 'ca.example'],
    ];
    await permits(forWildcards, wildcard);
    await forbids(/do not name/, forWildcards);
    const forNames: Records = [
      [0, 'issue', 'ca.example'],
      [0, 'issuewild', ';'],
    ];
    await permits(forNames);
    await forbids(/do not name/, forNames, wildcard);
    await permits([[0, 'issue', 'ca.example']], wildcard);
    await forbids(/do not name/, [[0, 'issue', ';']], wildcard);
    await permits([[0, 'issuewild', ';']]);
  });

  test('RFC 8657 section 3: accounturi is the account, or permits nothing', async () => {
    const mine: Records = [[0, 'issue', `ca.example; accounturi=${account}`]];
    await permits(mine, { accountUri: account });
    await forbids(/another account/, mine);
    await forbids(/another account/, mine, { accountUri: `${account}0` });
    await forbids(
      /another account/,
      [[0, 'issue', `ca.example;accounturi=${account};ACCOUNTURI=${account}`]],
      {
        accountUri: account,
      },
    );
    await permits([...mine, [0, 'issue', 'ca.example;accounturi=https://ca.example/acme/account/2']], {
      accountUri: account,
    });
  });

  test('RFC 8657 section 4: validationmethods lists the challenge, or permits nothing', async () => {
    const issue = (methods: string): Records => [[0, 'issue', `ca.example; validationmethods=${methods}`]];
    await permits(issue('dns-01'));
    await permits(issue('ca-x,http-01,dns-01'));
    await permits(issue('http-01'), { type: 'http-01' });
    await forbids(/other challenges/, issue('http-01'));
    await forbids(/other challenges/, issue(''));
    await forbids(/other challenges/, issue('dns-01,'));
    await forbids(/other challenges/, issue('dns-01;validationmethods=dns-01'));
    await forbids(/other challenges/, issue('DNS-01'));
  });

  test('a DNS that does not answer permits nothing', async () => {
    dns.set('failing.example', 'CAA', 'SERVFAIL');
    dns.set('garbage.example', 'CAA', 'garbage');
    for (const [name, detail, transient] of [
      ['www.failing.example', 'the DNS failed, asked for the CAA records of failing.example', true],
      ['garbage.example', /CAA records of garbage.example/, null],
    ] as const) {
      const found = await validateCaa(
        challengeFor('dns-01', name),
        settingsFor(dns, { caa: 'ca.example', timeoutMilliseconds: 1_000 }),
      );
      assert.ok(!found.valid);
      assert.equal(found.problem, 'dns');
      if (typeof detail === 'string') assert.equal(found.detail, detail);
      else assert.match(found.detail, detail);
      if (transient !== null) assert.equal(found.transient, transient);
    }
  });

  test('is looked at after each challenge, of names, and where we have a name of our own', async () => {
    dns.txt('_acme-challenge.whole.example', digestOf(keyAuthorization).toString('base64url'));
    dns.caa('whole.example', [0, 'issue', 'other.example']);
    const whole = (caa: string | null) =>
      validate(challengeFor('dns-01', 'whole.example'), settingsFor(dns, { caa }));
    assert.equal((await whole('other.example')).valid, true);
    const found = await whole('ca.example');
    assert.ok(!found.valid);
    assert.equal(found.problem, 'caa');
    assert.equal((await whole(null)).valid, true);
    const identifier = { type: 'ip', value: '192.0.2.1' } as const;
    await permits([], { identifier });
  });
});

describe('the value of issue', () => {
  test('is read by the grammar of section 4.2', () => {
    assert.deepEqual(parseIssueValue('ca1.example.net; account=230123'), {
      issuer: 'ca1.example.net',
      parameters: [['account', '230123']],
    });
    assert.deepEqual(parseIssueValue(' \tCA.example\t;a=b;\tC-D = !x=y '), {
      issuer: 'ca.example',
      parameters: [
        ['a', 'b'],
        ['c-d', '!x=y'],
      ],
    });
    assert.deepEqual(parseIssueValue('; policy=ev'), { issuer: '', parameters: [['policy', 'ev']] });
  });

  test('arbitrary text is a value, and takes no time', () => {
    const pieces = fc.array(fc.constantFrom('a', '-', '.', ';', ' ', '=', '\t', 'ca.example', '\n', 'ü'), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          pieces.map((each) => each.join('')),
        ),
        (text) => {
          const { issuer } = parseIssueValue(text);
          assert.ok(issuer === '' || text.toLowerCase().includes(issuer));
        },
      ),
    );
    assert.equal(parseIssueValue(`${'a-'.repeat(30_000)}!`).issuer, '');
    assert.equal(parseIssueValue(`${'a.'.repeat(30_000)}!`).issuer, '');
    assert.equal(parseIssueValue(`a;${' '.repeat(60_000)}!`).issuer, '');
  });

  test('a record of Node.js that holds more or less than one tag is no known property', () => {
    assert.deepEqual(caaPropertyOf({ critical: 0, issue: 'a', issuewild: 'b' }).tag, '');
    assert.deepEqual(caaPropertyOf({ critical: 128 }), { tag: '', critical: true, value: '' });
  });
});
