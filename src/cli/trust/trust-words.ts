import { formatName } from '#x509';
import { describeTime } from '../render/time.ts';
import type { Paint } from '../render/paint.ts';
import { wrap } from '../teach.ts';
import { clientCommands, fileCommands, trustFileNames } from './client-commands.ts';
import type { EnrollmentServer } from './enrollment-server.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { PinnedChain } from './pinned-chain.ts';

export interface TrustWords {
  readonly configurationFile: string;
  readonly chain: PinnedChain;
  readonly server: EnrollmentServer | null;
  /** How many there are, and whether one was named. */
  readonly issuers: number;
  readonly issuerNamed: boolean;
  readonly listeners: number;
  readonly listenerNamed: boolean;
}

/** What a person needs to make EST clients trust the chain: what it is, whether it fits the server, and the lines to type. */
export function trustWords(trust: TrustWords, { paint, now }: { paint: Paint; now: number }): string {
  const { chain, server, configurationFile } = trust;
  const names = trustFileNames(chain, trust.issuers > 1);
  const files = fileCommands(chain, names, configurationFile);
  return [
    `${chosenWords(trust)}\n`,
    ...chain.path.map(
      ({ certificate }, at) =>
        `${paint.strong(roleOf(chain, at))}  ${formatName(certificate.subject)}, ` +
        `ends ${describeTime(new Date(certificate.notAfter).toISOString(), now)}\n${fingerprintOf(certificate)}\n`,
    ),
    `${wrap(pinWords)}\n`,
    ...serverWords(server, paint).map((words) => `${words}\n`),
    section(paint.strong('Here: the files for clients'), files, null),
    ...clientCommands(server, names).map(({ title, lines, remark }) =>
      section(paint.strong(title), lines, remark),
    ),
  ].join('\n');
}

const pinWords =
  'Clients pin the root and no other (RFC 7030 section 3.3.2). The fingerprints are SHA-256, as `openssl x509 -noout -fingerprint -sha256 -in FILE` ' +
  'prints them: whoever gets a file compares, over another way than the file came.';

function chosenWords({ chain, server, ...trust }: TrustWords): string {
  const issuer = `Issuer ${chain.issuer}${choice(trust.issuers, trust.issuerNamed, '--issuer')}`;
  if (server === null) return `${issuer}. No listener enrolls devices.`;
  const where = server.url ?? `a port that the system chooses: \`sallyport serve\` says which is PORT below`;
  return `${issuer}, listener ${server.name}${choice(trust.listeners, trust.listenerNamed, '--listener')}: ${where}`;
}

function choice(count: number, named: boolean, option: string): string {
  return count < 2 || named ? '' : ` (the first of ${count}; ${option} names another)`;
}

function roleOf({ path }: PinnedChain, at: number): string {
  if (at === path.length - 1) return 'root';
  return at === 0 ? 'issuing CA' : 'between';
}

/** Whether what is exported verifies the server. */
function serverWords(server: EnrollmentServer | null, paint: Paint): string[] {
  if (server === null) return [];
  const { certificate, name, est } = server;
  if (est === null) return [`Listener ${name} serves no EST; --listener names another.`];
  if (certificate === null) {
    return [
      wrap(
        `The certificate of listener ${name} is not on this machine: nobody checked that this chain verifies it.`,
      ),
    ];
  }
  const { file, issuer, issued, rootSuffices } = certificate;
  if (issued === 'foreign') {
    const remedy =
      file === null
        ? `Name the issuer of this chain in tls.issued`
        : `Give the listener a certificate of this authority (${file})`;
    return [
      paint.bad(
        wrap(
          `The certificate of listener ${name} is not issued under this chain but by ${issuer}: what is exported here does not verify the server. ` +
            `${remedy}, or have clients pin the CA that issued it.`,
        ),
      ),
    ];
  }
  if (rootSuffices) return [];
  return [
    paint.bad(
      wrap(
        `The listener does not send what is between its certificate and the root, so that clients which pin the root alone refuse it. ` +
          (file === null
            ? `Name this chain's own issuer in tls.issued, or what leads from the root to the other one in its rollover.`
            : `Append the issuing CA to ${file}, or name it under tls.chain.`),
      ),
    ),
  ];
}

function section(title: string, commands: readonly string[], remark: string | null): string {
  const lines = commands.flatMap((command) => command.split('\n')).map((line) => `  ${line}\n`);
  return `${title}\n${lines.join('')}${remark === null ? '' : `${wrap(remark)}\n`}`;
}
