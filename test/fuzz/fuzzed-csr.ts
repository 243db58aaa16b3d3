import { sign } from 'node:crypto';
import { assembleSigned, attributeTypes, type Der, extensionOids, type GeneralName, oids } from '#x509';
import {
  asymmetricDecryptKeyIdentifier,
  changeSubjectName,
  csrFor,
  type CsrSettings,
  decryptKeyIdentifier,
  makeCsr,
  smimeCapabilities,
} from '../harness/csr.ts';
import { Tlv } from '../harness/tlv.ts';
import type { Asker } from './asker.ts';
import { editBytes } from './byte-edits.ts';
import type { Choices } from './choices.ts';
import { editDer } from './der-edits.ts';

/** A PKCS #10 request near to the one that the asker would send: other fields, other DER, other bytes. */
export function fuzzedCsr(choices: Choices, asker: Asker): Buffer {
  const plain = () => csrFor(asker.id, asker.key);
  return choices.weighted<() => Buffer>([
    [3, () => plainOrWithNames(choices, asker)],
    [8, () => withFields(choices, asker)],
    [3, () => editDer(choices, plain())],
    [4, () => signedAnew(choices, asker, choices.chance(0.5) ? plain() : withFields(choices, asker))],
    [2, () => editBytes(choices, plain())],
  ])();
}

/** What some clients do: the names that the device gets. */
function plainOrWithNames(choices: Choices, { id, key, spareKeys, entitled }: Asker): Buffer {
  const chosen = choices.chance(0.7) ? key : choices.pick(spareKeys);
  const { subjectAltName } = entitled;
  return csrFor(id, chosen, subjectAltName.length > 0 && choices.chance(0.5) ? { subjectAltName } : {});
}

/** The signature fits what was changed, so that it is no longer what a request is refused for. */
function signedAnew(choices: Choices, { key }: Asker, csr: Buffer): Buffer {
  const [info] = Tlv.read(csr).children;
  const edited = editDer(choices, info!.der);
  return Buffer.from(assembleSigned(edited, key.algorithm, sign('sha256', edited, key.privateKey)));
}

/** What the writer of requests refuses to write, a client could not send either: then a plain one. */
function withFields(choices: Choices, asker: Asker): Buffer {
  try {
    return makeCsr(fields(choices, asker));
  } catch {
    return csrFor(asker.id, asker.key);
  }
}

function fields(choices: Choices, asker: Asker): CsrSettings {
  const { id, spareKeys } = asker;
  const key = choices.chance(0.8) ? asker.key : choices.pick(spareKeys);
  const attributeType = () => choices.pick(Object.keys(attributeTypes));
  const subject = choices.chance(0.6)
    ? [{ type: 'commonName', value: id }]
    : choices.some(5, () => ({ type: attributeType(), value: choices.text(30) }));
  return {
    key,
    subject,
    ...(choices.chance(0.5) ? {} : { subjectAltName: names(choices, asker) }),
    ...(choices.chance(0.6) ? {} : { extensions: choices.some(4, () => extension(choices)) }),
    ...(choices.chance(0.8) ? {} : { challengePassword: choices.text(20) }),
    ...(choices.chance(0.7) ? {} : { attributes: choices.some(3, () => attribute(choices, asker)) }),
    ...(choices.chance(0.95) ? {} : { signWith: choices.pick(spareKeys) }),
    ...(choices.chance(0.95) ? {} : { spki: editDer(choices, key.spki) }),
  };
}

function names(choices: Choices, { entitled }: Asker): GeneralName[] {
  if (choices.chance(0.5)) return [...entitled.subjectAltName];
  return choices.some(5, () =>
    choices.weighted<GeneralName>([
      [4, { kind: choices.pick(['dns', 'email', 'uri']), value: choices.text(40) }],
      [1, { kind: 'ip', value: `127.${choices.below(256)}.0.${choices.below(256)}` }],
      [
        1,
        {
          kind: 'otherName',
          type: choices.pick([oids.hardwareModuleName, '1.3.6.1.4.1.311.20.2.3']),
          value: choices.bytes(20).toString('base64'),
        },
      ],
    ]),
  );
}

const otherExtensions = ['1.3.6.1.4.1.311.25.2', '1.3.6.1.4.1.311.20.2', '1.2.3'];

function extension(choices: Choices) {
  const oid = choices.pick([...Object.values(extensionOids), ...otherExtensions]);
  return { oid, critical: choices.chance(0.5), value: new Uint8Array(choices.bytes(40)) as Der };
}

function attribute(choices: Choices, { id }: Asker) {
  return choices.weighted([
    [1, asymmetricDecryptKeyIdentifier(choices.bytes(20))],
    [1, decryptKeyIdentifier(choices.bytes(20))],
    [1, smimeCapabilities(...choices.some(4, () => `2.16.840.1.101.3.4.1.${choices.below(50)}`))],
    [
      1,
      changeSubjectName({
        subject: [{ type: 'commonName', value: choices.chance(0.5) ? id : choices.text(10) }],
      }),
    ],
    [1, { oid: `1.2.840.113549.1.9.${choices.below(60)}`, values: choices.some(3, () => derOf(choices)) }],
  ]);
}

function derOf(choices: Choices): Der {
  const content = choices.bytes(100);
  return new Uint8Array([choices.pick([4, 12, 19, 30, 48, 49]), content.length, ...content]);
}
