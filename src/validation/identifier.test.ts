import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { identifierProblem } from '#validation';

const problem = (value: string) => identifierProblem({ type: 'dns', value });
const addressProblem = (value: string) => identifierProblem({ type: 'ip', value });

describe('an identifier of type dns', () => {
  test('is a host name in lower case, with a wildcard as its whole first label or without', () => {
    const long = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`;
    for (const value of [
      'example.org',
      'a.example.org',
      '1.example.org',
      '3com.example',
      'a-b--c.example',
      'xn--bcher-kva.example',
      'xn--0zwm56d',
      '*.example.org',
      'printer',
      '0x7g.example.x7',
      long,
    ]) {
      assert.equal(problem(value), null, value);
    }
    assert.equal(long.length, 253);
  });

  test('is none', () => {
    for (const [value, words] of [
      ['', /empty/],
      ['*.', /empty/],
      ['.', /empty label/],
      ['example.org.', /dot at its end/],
      ['.example.org', /empty label/],
      ['a..example.org', /empty label/],
      ['Example.org', /lower-case/],
      ['a_b.example.org', /lower-case/],
      ['-a.example.org', /lower-case/],
      ['a-.example.org', /lower-case/],
      ['bücher.example', /lower-case/],
      ['*', /lower-case/],
      ['a.*.example.org', /lower-case/],
      ['*.*.example.org', /lower-case/],
      ['a*.example.org', /lower-case/],
      ['example.org:80', /lower-case/],
      ['user@example.org', /lower-case/],
      ['example.org/x', /lower-case/],
      ['example.org\0', /lower-case/],
      ['example.org\n', /lower-case/],
      [`${'a'.repeat(64)}.example.org`, /more than 63/],
      [`${'a.'.repeat(126)}aa`, /longer than 253/],
      [`*.${'a.'.repeat(125)}aa`, /longer than 253/],
      ['192.0.2.1', /IP address/],
      ['*.192.0.2.1', /IP address/],
      ['2001:db8::1', /IP address/],
      ['127.1', /is a number/],
      ['example.123', /is a number/],
      ['0x7f.0x1', /is a number/],
      ['example.0x', /is a number/],
      ['ab--cd.example', /third and fourth/],
      ['xn--.example', /lower-case/],
      ['xn--abc-.example', /lower-case/],
      ['xn--a.example', /no A-label/],
      ['xn--zzzzzzzzzzzz99.example', /no A-label/],
      // The Kelvin sign, which is mapped to the letter k.
      ['xn--62g.example', /no A-label/],
    ] as const) {
      assert.match(problem(value) ?? 'no problem', words, JSON.stringify(value));
    }
  });

  const letter = fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz0123456789');
  const label = fc.array(letter, { minLength: 1, maxLength: 20 }).map((letters) => letters.join(''));
  const name = fc
    .tuple(fc.array(label, { maxLength: 5 }), label)
    .map(([labels, last]) => [...labels, `${last}z`].join('.'));

  test('is taken whatever its labels are, and no more when one octet is another', () => {
    const octet = fc.constantFrom(...'ABZ_ /\\:@?#%\u0000\u00fc\u212a');
    fc.assert(
      fc.property(name, fc.nat(), octet, (value, at, other) => {
        assert.equal(problem(value), null);
        assert.equal(problem(`*.${value}`), null);
        const place = at % value.length;
        assert.notEqual(problem(value.slice(0, place) + other + value.slice(place + 1)), null);
      }),
    );
  });

  test('is a host that URLs read as this very one, or it is none', () => {
    const parts = fc.array(
      fc.constantFrom(
        'a',
        'xn--',
        'bcher-kva',
        '.',
        '-',
        '*',
        '0x',
        '7f',
        '127',
        '::',
        '1',
        '_',
        'A',
        'ü',
        '%2e',
        '。',
      ),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          parts.map((each) => each.join('')),
          fc.domain(),
        ),
        (value) => {
          if (problem(value) !== null) return;
          const bare = value.replace(/^\*\./, '');
          assert.equal(URL.parse(`http://${bare}/`)?.hostname, bare);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('an identifier of type ip', () => {
  test('RFC 8738 section 3: is in the form of RFC 1123, or of RFC 5952', () => {
    for (const value of [
      '192.0.2.1',
      '0.0.0.0',
      '2001:db8::1',
      '2001:db8:0:1:1:1:1:1',
      '::1',
      '64:ff9b::1',
    ]) {
      assert.equal(addressProblem(value), null, value);
    }
  });

  test('is none', () => {
    for (const [value, words] of [
      ['', /not an IP address/],
      ['example.org', /not an IP address/],
      ['192.0.2', /not an IP address/],
      ['192.0.2.01', /not an IP address/],
      ['192.0.2.1/32', /not an IP address/],
      ['[2001:db8::1]', /not an IP address/],
      ['fe80::1%eth0', /not an IP address/],
      ['2001:DB8::1', /write 2001:db8::1/],
      ['2001:db8:0:0:0:0:0:1', /write 2001:db8::1/],
      ['2001:0db8::1', /write 2001:db8::1/],
      ['2001:db8:0:0:1::1', /write 2001:db8::1:0:0:1/],
      ['::192.0.2.1', /write ::c000:201/],
      ['::ffff:192.0.2.1', /as IPv4/],
      ['::ffff:c000:201', /as IPv4/],
    ] as const) {
      assert.match(addressProblem(value) ?? 'no problem', words, value);
    }
  });

  test('is the one spelling of its octets', () => {
    const octets = fc.oneof(fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(octets, (value) => {
        if (addressProblem(value) !== null) return;
        const host = value.includes(':') ? `[${value}]` : value;
        assert.equal(new URL(`http://${host}/`).hostname, host);
      }),
    );
  });
});
