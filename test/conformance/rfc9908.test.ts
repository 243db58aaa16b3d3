import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { before, describe, test } from 'node:test';
import type { Extension, RequestAttribute } from '#x509';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { type ClientKey, makeCsr, makeKey } from '../harness/csr.ts';
import { logSize, requestEntriesOf } from '../harness/entries.ts';
import { base64, est } from '../harness/est-client.ts';
import { entryOf } from '../harness/expect.ts';
import { withTemplates } from '../harness/more-templates.ts';
import { TestDevice } from '../harness/test-device.ts';
import { exchangeOnTls } from '../harness/tls-exchange.ts';
import { Tlv } from '../harness/tlv.ts';

const challengePassword = '1.2.840.113549.1.9.7';
const extensionReq = '1.2.840.113549.1.9.14';
const infoTemplate = '1.2.840.113549.1.9.16.2.61';
const extensionReqTemplate = '1.2.840.113549.1.9.16.2.62';
const subjectAltName = '2.5.29.17';
const keyTypes: Record<string, string> = {
  '1.2.840.10045.2.1': 'ec',
  '1.2.840.113549.1.1.1': 'rsa',
  '1.3.101.112': 'ed25519',
  '2.16.840.1.101.3.4.3.18': 'ml-dsa-65',
};
const [sequence, set, oidTag] = [0x30, 0x31, 0x06];

/** CsrAttrs ::= SEQUENCE OF AttrOrOID, as a client reads it. */
class Read {
  /** Elements that are an OID alone. */
  readonly oids: readonly string[];
  readonly attributes: readonly { readonly type: string; readonly values: readonly Tlv[] }[];

  constructor(der: Uint8Array) {
    const outer = Tlv.read(der);
    assert.equal(outer.tag, sequence);
    this.oids = outer.children.filter(({ tag }) => tag === oidTag).map(({ oid }) => oid);
    const others = outer.children.filter(({ tag }) => tag !== oidTag);
    this.attributes = attributesOf(others);
  }

  values(type: string): readonly Tlv[] | null {
    const [attribute, ...others] = this.attributes.filter((each) => each.type === type);
    assert.equal(others.length, 0, `${type} more than once`);
    return attribute?.values ?? null;
  }

  get template() {
    const values = this.values(infoTemplate);
    assert.equal(values?.length, 1);
    const fields = values[0]!.children;
    assert.deepEqual([...fields.shift()!.content], [0], 'version v1');
    const subject = fields[0]?.tag === sequence ? fields.shift()!.children : null;
    const key = fields.shift()!;
    assert.equal(key.tag, 0xa0);
    const attributes = fields.shift()!;
    assert.equal(attributes.tag, 0xa1);
    assert.equal(fields.length, 0);
    return {
      subject:
        subject?.map((rdn) => {
          assert.equal(rdn.tag, set);
          const [type, value] = rdn.children[0]!.children;
          return { type: type!.oid, value: value ?? null };
        }) ?? null,
      algorithm: key.children[0]!.children,
      publicKey: key.children[1] ?? null,
      attributes: attributesOf(attributes.children),
    };
  }
}

function attributesOf(elements: readonly Tlv[]) {
  return elements.map((element) => {
    assert.equal(element.tag, sequence);
    const [type, values, ...more] = element.children;
    assert.deepEqual([type!.tag, values!.tag, more.length], [oidTag, set, 0]);
    return { type: type!.oid, values: values!.children };
  });
}

function extensionsOf(value: Tlv): Extension[] {
  return value.children.map((extension) => {
    const [oid, ...rest] = extension.children;
    const critical = rest[0]?.tag === 0x01;
    return { oid: oid!.oid, critical, value: rest.at(-1)!.content };
  });
}

describe('RFC 9908 and RFC 7030 section 4.5, csrattrs', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(
      cleanup,
      withTemplates({
        bound: { channelBinding: 'required' },
        'rsa-only': { keyAlgorithms: ['rsa-3072', 'rsa-2048'] },
        p384: { keyAlgorithms: ['ec-p384'] },
        ed25519: { keyAlgorithms: ['ed25519'] },
        'ml-dsa': { keyAlgorithms: ['ml-dsa-65'] },
        organized: { subject: [{ organizationName: 'Example' }, { commonName: '{device.id}' }] },
        named: { subjectAltName: [{ dns: '{device.dnsName}' }, { uri: 'urn:example:literal' }] },
        literal: { subjectAltName: [{ uri: 'urn:example:literal' }] },
        nameless: { subject: [], subjectAltName: [{ uri: 'urn:example:literal' }] },
      }),
    );
  });

  const ask = (target: string) => est({ url: `${authority.est}/${target}`, trust: authority.trustPem });
  const read = async (label: string): Promise<Read> => {
    const answer = await ask(`${label}/csrattrs`);
    assert.equal(answer.status, 200, answer.text);
    return new Read(Buffer.from(answer.text, 'base64'));
  };
  const labels = [
    'device',
    'server',
    'iot',
    'bound',
    'rsa-only',
    'p384',
    'ed25519',
    'ml-dsa',
    'organized',
    'named',
    'literal',
    'nameless',
  ];

  describe('RFC 7030 section 4.5, the answer:', () => {
    for (const target of ['csrattrs', 'device/csrattrs']) {
      test(`/${target}: 200, application/csrattrs in base64, to anybody, and an entry of the log`, async () => {
        const from = await logSize(authority);
        const answer = await ask(target);
        assert.equal(answer.status, 200);
        assert.equal(answer.headers['content-type'], 'application/csrattrs');
        assert.equal(answer.headers['content-transfer-encoding'], 'base64');
        assert.match(answer.text, /^[A-Za-z0-9+/\n]+={0,2}\n?$/);
        assert.ok(new Read(Buffer.from(answer.text, 'base64')).oids.length > 0);
        const [entry, ...others] = await requestEntriesOf(authority, from);
        assert.equal(others.length, 0);
        const { operation, template } = entry!.observations.source;
        assert.deepEqual(
          [entry!.outcome, entry!.verdict.decision, operation, template],
          ['answered', 'allow', 'csrattrs', 'device'],
        );
      });
    }

    test('without a label it is that of the default template', async () => {
      assert.equal((await ask('csrattrs')).text, (await ask('device/csrattrs')).text);
      assert.notEqual((await ask('csrattrs')).text, (await ask('server/csrattrs')).text);
    });

    test('an unknown label is answered 404, in the log', async () => {
      const answer = await ask('nothing/csrattrs');
      assert.equal(answer.status, 404);
      assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
      assert.equal((await entryOf(authority, answer)).outcome, 'malformed');
    });

    test('takes GET alone: 405 with Allow', async () => {
      const url = `${authority.est}/csrattrs`;
      const answer = await est({ url, trust: authority.trustPem, method: 'POST', body: '' });
      assert.deepEqual([answer.status, answer.headers.allow], [405, 'GET']);
    });
  });

  describe('section 3.2, for clients that know RFC 7030 alone:', () => {
    for (const label of labels) {
      test(`${label}: one key type, and at most one ExtensionReq of one value`, async () => {
        const attributes = await read(label);
        const types = [...attributes.oids, ...attributes.attributes.map(({ type }) => type)];
        assert.equal(types.filter((type) => type in keyTypes).length, 1);
        assert.equal(new Set(types).size, types.length);
        const extensions = attributes.values(extensionReq);
        assert.equal(extensions?.length, 1);
        const oids = extensionsOf(extensions[0]!).map(({ oid }) => oid);
        assert.ok(oids.length > 0);
        assert.equal(new Set(oids).size, oids.length);
      });
    }

    test('RSA comes with the bits, EC with the curve, the others with nothing', async () => {
      const [bits] = (await read('rsa-only')).values('1.2.840.113549.1.1.1')!;
      assert.deepEqual([bits!.tag, bits!.content.readUInt16BE()], [0x02, 3072]);
      const curve = async (label: string) => (await read(label)).values('1.2.840.10045.2.1')![0]!.oid;
      assert.equal(await curve('device'), '1.2.840.10045.3.1.7');
      assert.equal(await curve('p384'), '1.3.132.0.34');
      assert.ok((await read('ed25519')).oids.includes('1.3.101.112'));
      assert.ok((await read('ml-dsa')).oids.includes('2.16.840.1.101.3.4.3.18'));
    });

    for (const label of labels) {
      test(`${label}: challengePassword ${label === 'bound' ? 'is asked for' : 'is not asked for'}`, async () => {
        const { oids, attributes, template } = await read(label);
        assert.equal(oids.filter((oid) => oid === challengePassword).length, label === 'bound' ? 1 : 0);
        assert.ok(!attributes.some(({ type }) => type === challengePassword));
        const inside = template.attributes.filter(({ type }) => type === challengePassword);
        assert.equal(inside.length, label === 'bound' ? 1 : 0);
      });
    }

    test('a partial extension is its OID alone, never an Extension with a name left empty', async () => {
      for (const label of ['server', 'named']) {
        const attributes = await read(label);
        assert.ok(attributes.oids.includes(subjectAltName));
        const extensions = extensionsOf(attributes.values(extensionReq)![0]!);
        assert.ok(!extensions.some(({ oid }) => oid === subjectAltName));
      }
    });
  });

  describe('section 3.4, the template:', () => {
    for (const label of labels) {
      const partial = label === 'server' || label === 'named';
      test(`${label}: ${partial ? 'id-aa-extensionReqTemplate' : 'id-ExtensionReq, for nothing is left to fill in'}`, async () => {
        const { attributes } = (await read(label)).template;
        const types = attributes.map(({ type }) => type);
        const wanted = partial ? extensionReqTemplate : extensionReq;
        assert.deepEqual(
          types.filter((type) => type === extensionReq || type === extensionReqTemplate),
          [wanted],
        );
        const { values } = attributes.find(({ type }) => type === wanted)!;
        assert.equal(values.length, 1);
      });
    }

    test('subject: its types in order where the template has some, absent where it has none', async () => {
      const types = async (label: string) =>
        (await read(label)).template.subject?.map(({ type }) => type) ?? null;
      assert.deepEqual(await types('device'), ['2.5.4.3']);
      assert.deepEqual(await types('organized'), ['2.5.4.10', '2.5.4.3']);
      assert.equal(await types('nameless'), null);
    });

    test('the RSA key is a placeholder of the size that is wanted; of others there is none', async () => {
      const { publicKey } = (await read('rsa-only')).template;
      assert.equal(publicKey?.tag, 0x03);
      const [modulus] = Tlv.read(publicKey.content.subarray(1)).children;
      assert.equal(BigInt(`0x${modulus!.content.toString('hex')}`).toString(2).length, 3072);
      for (const label of ['device', 'p384', 'ed25519', 'ml-dsa']) {
        assert.equal((await read(label)).template.publicKey, null, label);
      }
    });

    test('literal values stand there, what the device knows does not', async () => {
      const { subject } = (await read('organized')).template;
      assert.deepEqual(
        subject!.map(({ type, value }) => [type, value?.content.toString() ?? null]),
        [
          ['2.5.4.10', 'Example'],
          ['2.5.4.3', null],
        ],
      );
      const { attributes } = (await read('named')).template;
      const [value] = attributes.find(({ type }) => type === extensionReqTemplate)!.values;
      const names = extensionsOf(value!).find(({ oid }) => oid === subjectAltName)!;
      assert.deepEqual(
        Tlv.read(names.value).children.map(({ tag, content }) => [tag, content.toString()]),
        [
          [0x82, ''],
          [0x86, 'urn:example:literal'],
        ],
      );
    });
  });

  describe('section 4, a client that does what it reads is served:', () => {
    let devices = 0;
    const device = (label: string) => {
      const id = `laptop-${(devices += 1)}`;
      const identifiers = { dnsName: `${id}.example.org` };
      const deviceClass = label === 'iot' ? 'iot' : label === 'server' ? 'server' : 'laptop';
      return TestDevice.expected(authority, id, { template: label, deviceClass, identifiers });
    };

    for (const label of labels.filter((each) => each !== 'bound')) {
      test(`${label}: by the template`, async () => {
        const client = await device(label);
        const csr = csrByTemplate(client.id, await read(label), []);
        const answer = await client.enroll({ csr });
        assert.equal(answer.status, 200, answer.text);
      });
    }

    test('bound: by the template, with the channel binding', async () => {
      const client = await device('bound');
      const wishes = await read('bound');
      const answer = await exchangeOnTls({
        url: `${authority.est}/bound/simpleenroll`,
        trust: authority.trustPem,
        version: 'TLSv1.3',
        user: [client.id, client.secret],
        csr: ({ exporter }) => csrByTemplate(client.id, wishes, [base64(exporter)]),
      });
      assert.equal(answer.status, 200, answer.text);
    });

    for (const label of ['device', 'iot', 'rsa-only', 'literal']) {
      test(`${label}: by the attributes before the template`, async () => {
        const client = await device(label);
        const wishes = await read(label);
        const extensions = extensionsOf(wishes.values(extensionReq)![0]!);
        const key = wishes.values('1.2.840.113549.1.1.1') === null ? makeKey() : rsa3072();
        const csr = makeCsr({ key, extensions, subject: [{ type: 'commonName', value: client.id }] });
        const answer = await client.enroll({ csr });
        assert.equal(answer.status, 200, answer.text);
      });
    }
  });
});

/** As a client of RFC 9908 makes it: every element of the template, with what is left open filled in. */
function csrByTemplate(id: string, { template }: Read, challenges: readonly string[]): Buffer {
  const { subject, algorithm, publicKey, attributes } = template;
  const key = keyOf(algorithm, publicKey);
  const wanted = attributes.find(({ type }) => type === extensionReq || type === extensionReqTemplate)!;
  const extensions = extensionsOf(wanted.values[0]!).map((extension) =>
    extension.oid === subjectAltName ? { ...extension, value: filledIn(id, extension.value) } : extension,
  );
  const others: RequestAttribute[] = attributes
    .filter(({ type }) => ![extensionReq, extensionReqTemplate, challengePassword].includes(type))
    .map(({ type, values }) => ({ oid: type, values: values.map(({ der }) => der) }));
  return makeCsr({
    key,
    subject: (subject ?? []).map(({ type, value }) => ({ type, value: value?.content.toString() ?? id })),
    extensions,
    attributes: others,
    ...(challenges[0] === undefined ? {} : { challengePassword: challenges[0] }),
  });
}

function filledIn(id: string, names: Uint8Array): Uint8Array {
  const filled = Tlv.read(names).children.map(({ tag, content }) => {
    const value = content.length > 0 ? content : Buffer.from(`${id}.example.org`);
    return Buffer.concat([Buffer.of(tag, value.length), value]);
  });
  const content = Buffer.concat(filled);
  assert.ok(content.length < 128);
  return Buffer.concat([Buffer.of(sequence, content.length), content]);
}

function keyOf([type, parameters]: readonly Tlv[], publicKey: Tlv | null): ClientKey {
  switch (keyTypes[type!.oid]) {
    case 'ec':
      return makeKey(parameters!.oid === '1.3.132.0.34' ? 'ec-p384' : 'ec-p256');
    case 'rsa':
      return publicKey!.content.length > 380 ? rsa3072() : makeKey('rsa-2048');
    case 'ed25519':
      return clientKey('ed25519', generateKeyPairSync('ed25519'));
    default:
      return clientKey('ml-dsa-65', generateKeyPairSync('ml-dsa-65'));
  }
}

const rsa3072 = () => clientKey('rsa-3072', generateKeyPairSync('rsa', { modulusLength: 3072 }));

function clientKey(
  algorithm: ClientKey['algorithm'],
  { publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject },
): ClientKey {
  return { algorithm, privateKey, spki: publicKey.export({ type: 'spki', format: 'der' }) };
}
