import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError, type ErrorCode } from '#errors';
import { parseDeviceList, type DeviceListFormat } from './device-list.ts';

const classes = ['laptop', 'iot'];
const csv = (text: string) => parseDeviceList(Buffer.from(text), 'csv', classes);
const json = (value: unknown) => parseDeviceList(Buffer.from(JSON.stringify(value)), 'json', classes);
const ids = (list: { devices: { id: string }[] }) => list.devices.map(({ id }) => id);

function assertThrows(bytes: Uint8Array, format: DeviceListFormat, code: ErrorCode, message: RegExp): void {
  assert.throws(
    () => parseDeviceList(bytes, format, classes),
    (error) => isSallyportError(error, code) && message.test(error.message),
  );
}

const full = {
  id: 'a-1',
  serialNumber: 'S1',
  deviceClass: 'laptop',
  owner: 'Doe, "J"',
  state: 'active',
  identifiers: { dnsName: 'a.example', assetTag2: '7' },
};
const bare = {
  id: 'a-2',
  serialNumber: null,
  deviceClass: 'iot',
  owner: null,
  state: 'expected',
  identifiers: {},
};

describe('CSV', () => {
  const lines = [
    'id,serial_number,class,owner,state,dns_name,assetTag2',
    'a-1,S1,laptop,"Doe, ""J""",active, a.example ,7',
    'a-2,,iot,,,,',
  ];

  for (const [name, text] of [
    ['line feeds', `${lines.join('\n')}\n`],
    ['CRLF, without the last', lines.join('\r\n')],
    ['carriage returns', lines.join('\r')],
    ['a byte order mark', `\uFEFF${lines.join('\r\n')}`],
    ['empty lines and rows', `${lines[0]}\n\n${lines[1]}\n,,,,,,\n${lines[2]}\n\n`],
  ] as const) {
    test(`is read with ${name}`, () => assert.deepEqual(csv(text), { devices: [full, bare], problems: [] }));
  }

  test('all bad rows are reported, by line, and the good ones are kept', () => {
    const text = [
      'id,class',
      'a,laptop',
      'b',
      'c,iot,x',
      'd"e,iot',
      '',
      'f g,iot',
      'h,printer',
      ',iot',
      'i,iot',
    ].join('\n');
    const { devices, problems } = csv(text);
    assert.deepEqual(
      devices.map(({ id }) => id),
      ['a', 'i'],
    );
    assert.deepEqual(problems, [
      { row: 3, column: null, message: 'has 1 columns, the header has 2' },
      { row: 4, column: null, message: 'has 3 columns, the header has 2' },
      {
        row: 5,
        column: null,
        message: 'has a quote inside a cell: put the whole cell in quotes, and write quotes in it twice',
      },
      { row: 7, column: 'id', message: 'must be 1 to 64 letters, digits or . _ : -' },
      { row: 8, column: 'class', message: 'is no device class of the configuration (laptop, iot)' },
      { row: 9, column: 'id', message: 'is required' },
    ]);
  });

  test('a quote that is never closed is reported where it opens', () => {
    const { devices, problems } = csv('id,class\na,iot\n"b,iot\nc,iot\n');
    assert.deepEqual(
      devices.map(({ id }) => id),
      ['a'],
    );
    assert.deepEqual(
      problems.map(({ row }) => row),
      [3],
    );
    assert.match(problems[0]?.message ?? '', /never closed/);
  });

  const headers: [name: string, text: string, message: RegExp][] = [
    ['nothing', '', /is empty/],
    ['only empty lines', '\n\n', /is empty/],
    ['semicolons', 'id;class\na;iot\n', /separated by semicolons: save it with commas/],
    ['tabs', 'id\tclass\na\tiot\n', /separated by tabs/],
    ['no id', 'name,class\n', /column id is missing/],
    ['no class', 'id,owner\n', /column class is missing/],
    ['a column twice', 'id,class,dns_name,dnsName\n', /column 4: dnsName stands twice/],
    ['a column without name', 'id,class,\n', /column 3: a column name begins/],
    ['a column name with spaces', 'id,class,DNS name\n', /column 3: a column name begins/],
    ['a column that every object has', 'id,class,constructor\n', /column 3: a column name begins/],
    ['__proto__', 'id,class,__proto__\n', /column 3: a column name begins/],
    [
      '65 columns',
      `id,class,${Array.from({ length: 63 }, (_, index) => `x${index}`).join(',')}\n`,
      /more than 64 columns/,
    ],
  ];
  for (const [name, text, message] of headers) {
    test(`refused as a whole: ${name}`, () => assertThrows(Buffer.from(text), 'csv', 'malformed', message));
  }

  test('a row without end is refused', () => {
    assertThrows(
      Buffer.from(`id,class\n"${'x'.repeat(70_000)}`),
      'csv',
      'malformed',
      /row 2 is longer than 64 KiB/,
    );
  });

  test('quotes that are broken all over cost no more than a thousand errors', () => {
    assertThrows(
      Buffer.from(`id,class\n${'a"b,iot\n'.repeat(2000)}`),
      'csv',
      'malformed',
      /quotes are broken all over/,
    );
  });
});

describe('JSON', () => {
  const { deviceClass, identifiers, ...rest } = full;

  test('is a list of devices, or an object with one', () => {
    const list = { devices: [full, bare], problems: [] };
    assert.deepEqual(json([full, bare]), list);
    assert.deepEqual(json({ devices: [full, bare] }), list);
  });

  test('may name members as columns, and identifiers beside them', () => {
    const { serialNumber: serial_number, ...others } = rest;
    assert.deepEqual(
      json([{ ...others, serial_number, class: deviceClass, dns_name: 'a.example', assetTag2: '7' }]).devices,
      [full],
    );
    assert.deepEqual(json([{ ...rest, class: deviceClass, identifiers }]).devices, [full]);
  });

  test('all bad rows are reported', () => {
    const { devices, problems } = json([
      7,
      null,
      { id: 1, class: 'iot' },
      { id: 'a', class: 'iot', identifiers: [] },
      { id: 'a', class: 'iot', identifiers: { owner: 'x' } },
      { id: 'a', class: 'iot', deviceClass: 'laptop' },
      { id: 'a', class: 'iot', 'Foo bar': 'x' },
      { id: 'a', class: 'iot' },
    ]);
    assert.deepEqual(
      devices.map(({ id }) => id),
      ['a'],
    );
    assert.deepEqual(problems, [
      { row: 1, column: null, message: 'must be an object' },
      { row: 2, column: null, message: 'must be an object' },
      { row: 3, column: 'id', message: 'must be text in quotes' },
      { row: 4, column: 'identifiers', message: 'must be an object' },
      { row: 5, column: 'owner', message: 'cannot be the name of an identifier' },
      { row: 6, column: 'deviceClass', message: 'means the same as class' },
      {
        row: 7,
        column: 'Foo bar',
        message:
          'a column name begins with a lower-case letter and has letters, digits and single underscores, at most 64, such as dns_name',
      },
    ]);
  });

  test('__proto__ is no identifier', () => {
    const list = parseDeviceList(
      Buffer.from('[{"id":"a","class":"iot","__proto__":{"owner":"x"},"identifiers":{"__proto__":"y"}}]'),
      'json',
      classes,
    );
    assert.deepEqual([list.devices, list.problems.length], [[], 2]);
  });

  const refused: [name: string, text: string, code: ErrorCode, message: RegExp][] = [
    ['no JSON', '[{"id"', 'malformed', /^the device list is not JSON: /],
    ['text', '"devices"', 'malformed', /is a list, or an object with the one member "devices"/],
    ['another object', '{"devices":[],"next":1}', 'malformed', /one member "devices"/],
    ['deep nesting', '[[[[[', 'malformed', /not nested deeper/],
    ['300,000 empty objects', `[${'{},'.repeat(300_000)}{}]`, 'too-large', /at most 100000 devices/],
  ];
  for (const [name, text, code, message] of refused) {
    test(`refused as a whole: ${name}`, () => assertThrows(Buffer.from(text), 'json', code, message));
  }

  test('brackets and commas inside text do not count', () => {
    assert.deepEqual(ids(json([{ id: 'a', class: 'iot', note: '[[[[[[{"\\",' }])), ['a']);
  });
});

describe('devices', () => {
  const refused: [name: string, device: Record<string, string>, column: string, message: RegExp][] = [
    ['an id of 65 characters', { id: 'x'.repeat(65) }, 'id', /1 to 64/],
    ['an id with a slash', { id: 'a/b' }, 'id', /1 to 64/],
    ['an id of other letters', { id: 'ä' }, 'id', /1 to 64/],
    ['a value of 256 characters', { owner: 'x'.repeat(256) }, 'owner', /longer than 255/],
    ['a line end', { owner: 'a\nb' }, 'owner', /control characters/],
    ['NUL', { dnsName: 'a\0b' }, 'dnsName', /control characters/],
    ['an escape sequence', { owner: '\u001b[2J' }, 'owner', /control characters/],
    ['a C1 control character', { owner: '\u009b2J' }, 'owner', /control characters/],
    ['a line separator', { owner: 'a\u2028b' }, 'owner', /control characters/],
    ['half a surrogate pair', { owner: 'a\ud800b' }, 'owner', /control characters/],
    ['text turned around', { owner: 'a\u202eb' }, 'owner', /direction of text/],
    ['spaces around', { serialNumber: ' S1' }, 'serialNumber', /spaces around/],
    ['suspended', { state: 'suspended' }, 'state', /must be expected or active/],
    ['retired', { state: 'retired' }, 'state', /must be expected or active/],
    ['a class in other letters', { class: 'Laptop' }, 'class', /is no device class/],
  ];
  for (const [name, members, column, message] of refused) {
    test(`refused: ${name}`, () => {
      const { devices, problems } = json([{ id: 'a', class: 'iot', ...members }]);
      assert.deepEqual(
        [devices, problems.map((problem) => [problem.row, problem.column])],
        [[], [[1, column]]],
      );
      assert.match(problems[0]?.message ?? '', message);
    });
  }

  test('at the bounds all is well', () => {
    const device = { id: 'x'.repeat(64), class: 'iot', owner: '=Zoë 💡'.padEnd(255, 'x'), a_1: 'x' };
    assert.deepEqual(json([device]).problems, []);
  });

  test('of two with one endorsement key the first is kept, and one that is none is a problem', () => {
    const key = '0a'.repeat(32);
    const rows = [
      'id,class,ek_sha256',
      `a,iot,${key}`,
      `b,iot,${key}`,
      'c,iot,',
      `d,iot,${key.toUpperCase()}`,
      'e,iot,12',
    ];
    const { devices, problems } = csv(rows.join('\n'));
    assert.deepEqual(
      devices.map(({ id, identifiers }) => [id, identifiers]),
      [
        ['a', { ekSha256: key }],
        ['c', {}],
      ],
    );
    const message = 'must be a SHA-256 digest: 64 lower-case hexadecimal digits';
    assert.deepEqual(problems, [
      { row: 3, column: 'ek_sha256', message: 'is the same as in row 2' },
      { row: 5, column: 'ek_sha256', message },
      { row: 6, column: 'ek_sha256', message },
    ]);
  });

  test('of two with one id or serial number the first is kept', () => {
    const { devices, problems } = csv('id,serial_number,class\na,1,iot\na,2,iot\nb,1,iot\nc,,iot\nd,,iot\n');
    assert.deepEqual(
      devices.map(({ id }) => id),
      ['a', 'c', 'd'],
    );
    assert.deepEqual(problems, [
      { row: 3, column: 'id', message: 'is the same as in row 2' },
      { row: 4, column: 'serial_number', message: 'is the same as in row 2' },
    ]);
  });

  test('a row lists at most eight problems', () => {
    const device = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`x${index}`, '\n']));
    assert.equal(json([device, { id: 'a', class: 'iot' }]).problems.length, 8);
  });
});

describe('bounds', () => {
  test('100,000 devices are read, one more is refused', () => {
    const rows = `id,class\n${Array.from({ length: 100_000 }, (_, index) => `d${index},iot\n`).join('')}`;
    assert.equal(csv(rows).devices.length, 100_000);
    assertThrows(Buffer.from(`${rows}more,iot\n`), 'csv', 'too-large', /at most 100000 devices/);
    const objects = Array.from({ length: 100_001 }, (_, index) => ({ id: `d${index}`, class: 'iot' }));
    assert.equal(json(objects.slice(1)).devices.length, 100_000);
    assertThrows(Buffer.from(JSON.stringify(objects)), 'json', 'too-large', /at most 100000 devices/);
  });

  test('more than 64 MiB is refused unread', () => {
    assertThrows(new Uint8Array(64 * 1024 * 1024 + 1), 'csv', 'too-large', /at most 64 MiB/);
  });

  test('as many commas as fit are refused before they become cells', () => {
    assertThrows(Buffer.alloc(7_000_000, ','), 'csv', 'too-large', /at most 100000 devices/);
  });

  test('what is not UTF-8 is refused', () => {
    assertThrows(
      Buffer.from('\uFEFFid,class\n', 'utf16le'),
      'csv',
      'malformed',
      /not UTF-8: save it as "CSV UTF-8"/,
    );
    assertThrows(Buffer.from([0x5b, 0xff, 0x5d]), 'json', 'malformed', /not UTF-8/);
  });
});

describe('whatever comes in', () => {
  const piece = fc.constantFrom(
    'id',
    'class',
    'iot',
    'a',
    '"',
    ',',
    '\n',
    '\r\n',
    ';',
    '{',
    '}',
    '[',
    ']',
    ':',
    'null',
    '"id":"a"',
    '"class":"iot"',
    '\uFEFF',
    '\0',
  );
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.array(piece, { maxLength: 40 }).map((pieces) => Buffer.from(pieces.join(''))),
  );
  const tail = bytes.map((input) => Buffer.concat([Buffer.from('id,class,owner\n'), input]));

  test('arbitrary bytes give a list or a SallyportError', () => {
    fc.assert(
      fc.property(
        fc.oneof(bytes, tail),
        fc.constantFrom<DeviceListFormat>('csv', 'json'),
        (input, format) => {
          try {
            const { devices, problems } = parseDeviceList(input, format, classes);
            assert.equal(new Set(devices.map(({ id }) => id)).size, devices.length);
            for (const { row } of problems) assert.ok(row >= 1);
          } catch (error) {
            assert.ok(isSallyportError(error, 'malformed', 'too-large'), String(error));
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  const word = fc.stringMatching(/^[A-Za-z0-9 ,";.=+@äß-]{0,20}$/).map((text) => text.trim());
  const device = fc.record({
    id: fc.stringMatching(/^[A-Za-z0-9._:-]{1,64}$/),
    serialNumber: fc.uuid(),
    deviceClass: fc.constantFrom(...classes),
    owner: word,
    state: fc.constantFrom('expected', 'active'),
    dnsName: word,
  });

  test('what is written as CSV or JSON is read again, the same', () => {
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    fc.assert(
      fc.property(fc.uniqueArray(device, { selector: ({ id }) => id }), (devices) => {
        const lines = devices.map((row) => Object.values(row).map(quoted).join(','));
        const fromCsv = csv(['id,serial_number,class,owner,state,dns_name', ...lines].join('\r\n'));
        const fromJson = json(devices);
        assert.deepEqual(fromCsv, fromJson);
        assert.deepEqual(fromCsv.problems, []);
        assert.deepEqual(json(fromJson.devices), fromJson);
        assert.deepEqual(ids(fromCsv), ids({ devices }));
      }),
      { numRuns: 50 },
    );
  });
});
