import type { Name } from '#x509';
import { formatFields } from '../render/fields.ts';
import { uuidOf } from '../trust/certificate-payload.ts';
import { sha1Of } from '../trust/fingerprint.ts';
import { xmlText } from '../trust/property-list.ts';
import { type AlternativeName, toldNames } from './alternative-names.ts';
import { keyUsageBits } from './key-usage-bits.ts';
import type { Challenge, DeviceService, ScepService } from './profile.ts';
import { rsaKeyBits } from './rsa-key-bits.ts';

/** A node below Install, with its format of SyncML. */
interface Node {
  readonly name: string;
  readonly format: 'chr' | 'int';
  readonly value: string;
}

const most = { retries: 30 };

/**
 * What the ClientCertificateInstall CSP takes (Microsoft, ClientCertificateInstall CSP, Device/SCEP/{UniqueID}/Install). TemplateName is left out: by its text it is an
 * OID, which as an extension of the request nobody here knows.
 */
function nodesOf(service: DeviceService, { secret }: Challenge): readonly Node[] {
  const { template, url, anchor, patience } = service;
  const bits = rsaKeyBits(template, 'Windows', [2048, 4096]);
  const delayMinutes = Math.max(1, Math.ceil(patience.totalSeconds / 60 / most.retries));
  const retries = Math.min(most.retries, Math.max(1, Math.ceil(patience.totalSeconds / 60 / delayMinutes)));
  const days = Math.floor(template.validitySeconds / 86_400);
  const text = (name: string, value: string): Node => ({ name, format: 'chr', value });
  const number = (name: string, value: number): Node => ({ name, format: 'int', value: String(value) });
  return [
    number('RetryCount', retries),
    number('RetryDelay', delayMinutes),
    number('KeyUsage', keyUsageBits(template, 'Windows', { digitalSignature: 0x80, keyEncipherment: 0x20 })),
    number('KeyLength', bits),
    text('HashAlgorithm', 'SHA-2'),
    text('SubjectName', certNameText(service.subject)),
    ...alternativeNames(service.subjectAltName).map((value) => text('SubjectAlternativeNames', value)),
    ...(days < 1 ? [] : [text('ValidPeriod', 'Days'), number('ValidPeriodUnits', days)]),
    text('EKUMapping', template.extendedKeyUsage.join('+')),
    // 2: by a TPM where there is one, and TPMs have RSA keys of 2048 bits; 3: in software.
    number('KeyProtection', bits === 2048 ? 2 : 3),
    text('ServerURL', url),
    // "B64 encoded" says the page; its example, and clients that refuse an underscore as no PrintableString, have it as it is.
    text('Challenge', secret),
    text('CAThumbprint', thumbprintOf(anchor)),
  ];
}

export function thumbprintOf(anchor: ScepService['anchor']): string {
  return sha1Of(anchor).toHex().toUpperCase();
}

/** SyncML: one Atomic, with Enroll as its last command. */
export function renderSyncMl(service: DeviceService, challenge: Challenge): string {
  const id = uuidOf('scep', service.template.name, service.device);
  const base = `./Device/Vendor/MSFT/ClientCertificateInstall/SCEP/${id}`;
  const commands = [
    command('Add', base, 'node', null),
    ...nodesOf(service, challenge).map(({ name, format, value }) =>
      command('Add', `${base}/Install/${name}`, format, value),
    ),
    command('Exec', `${base}/Install/Enroll`, null, null),
  ];
  return `\
<SyncML xmlns="SYNCML:SYNCML1.2">
  <SyncBody>
    <Atomic>
      <CmdID>1</CmdID>
${commands.map((render, at) => render(at + 2)).join('')}\
    </Atomic>
    <Final/>
  </SyncBody>
</SyncML>
`;
}

function command(verb: 'Add' | 'Exec', uri: string, format: string | null, data: string | null) {
  const meta = format === null ? '' : `<Meta><Format xmlns="syncml:metinf">${format}</Format></Meta>`;
  const value = data === null ? '' : `<Data>${xmlText(data)}</Data>`;
  return (id: number) =>
    `      <${verb}><CmdID>${id}</CmdID><Item><Target><LocURI>${xmlText(uri)}</LocURI></Target>${meta}${value}</Item></${verb}>\n`;
}

export function renderTable(service: DeviceService, challenge: Challenge): string {
  return formatFields(nodesOf(service, challenge).map(({ name, value }) => [name, value] as const));
}

const keysOfTypes: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'S',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
};

/** A name as CertStrToName reads it: a value with a delimiter in quotes, and a quote in it twice. */
export function certNameText(subject: Name): string {
  return subject
    .map((rdn) =>
      rdn.map(({ type, value }) => `${keysOfTypes[type] ?? `OID.${type}`}=${quotedValue(value)}`).join('+'),
    )
    .join(',');
}

function quotedValue(value: string): string {
  return /[,+="\n<>#;\\]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** AlternativeNameType of certenroll.h. */
const types: Readonly<Record<AlternativeName['kind'], number | null>> = {
  email: 2,
  dns: 3,
  uri: 7,
  ip: null,
};

/** Nothing escapes the plus sign and the semicolon. */
function alternativeNames(names: readonly AlternativeName[]): readonly string[] {
  const told = toldNames(names, ({ kind, value }) => types[kind] !== null && !/[+;]/.test(value));
  return told.length === 0 ? [] : [told.map(({ kind, value }) => `${types[kind]!}+${value}`).join(';')];
}
